// Signed links through the one door: used once, expired, of an unknown issuer, sealed to a device.
// Source: DESIGN §7, CONTRACT §2 (84, 88, 65), §4.
import Activation
import Device
import Keystore
import Linux
import OTP
import Testing

@testable import SoftTokenCore

@Suite("Signed links", .serialized) struct SignedLinkTests {
    private let home = MadeUpHome()
    private let clock = MadeUpClock(1_800_000_000)
    private let code = "ABCDE-FGHJK"

    private func authenticator() throws -> Authenticator {
        let clock = clock
        return try Authenticator(
            place: home.place, surroundings: .ordinary
        ) { () throws(SystemError) in clock.reading() }
    }

    private func content(_ terms: LinkTerms = LinkTerms()) throws -> SignedLinkContent {
        SignedLinkContent(
            issuer: "Clinic", account: "doctor", serial: "S-1",
            parameters: TokenParameters(
                algorithm: .sha256, digits: try #require(DigitCount(6)),
                factor: .time(stepSeconds: 30)),
            issuedAtUnixSeconds: 1_800_000_000, expiresUnixSeconds: 1_800_003_600, terms: terms)
    }

    private func link(_ terms: LinkTerms = LinkTerms()) throws -> VerifiedLink {
        let text = try content(terms).link(
            Seed(randomByteCount: 32), code: ActivationCode(parsing: Array(code.utf8).span),
            cost: .standard, signedBy: SigningKey(), carrier: .activate)
        return try read(text)
    }

    private func read(_ text: String) throws -> VerifiedLink {
        guard case .signed(let link) = try readLink(Array(text.utf8).span) else {
            throw MadeUpError.malformed
        }
        return link
    }

    private func answers(_ link: VerifiedLink) -> Answers {
        Answers(
            isInteractive: false, isAttested: true, trustedFingerprint: link.fingerprint)
    }

    private func activate(_ link: VerifiedLink, named name: String = "mine") throws {
        var authenticator = try authenticator()
        let entry = try authenticator.enter(.activate(link), answers: answers(link))
        let clearance = try authenticator.clear(entry)
        let enrolment =
            switch link.box {
            case .code: try link.open(code: ActivationCode(parsing: Array(code.utf8).span))
            case .device: try link.open(requestKey: authenticator.requestKey())
            }
        var session =
            try entry.facts.isOpenable
            ? authenticator.unlock(madeUpPIN("5093"), clearance)
            : authenticator.create(madeUpPIN("5093"), policy: enrolment.policy, clearance)
        _ = try authenticator.activate(
            &session, enrolment, from: link, named: name,
            trusting: TrustedIssuer(key: link.key, name: link.issuer), clearance)
    }

    @Test("A link is used once, and stays used after its token and its keystore are gone")
    func usedOnce() throws {
        let link = try link()
        try activate(link)
        #expect(throws: AuthenticatorError.linkUsed) { try activate(link, named: "again") }
        try authenticator().reset()
        #expect(throws: AuthenticatorError.linkUsed) { try activate(link, named: "again") }
    }

    @Test("What changed while questions were asked is judged again under the lock")
    func judgedAgain() throws {
        let link = try link()
        try activate(link, named: "first")
        let second = try self.link()
        var authenticator = try authenticator()
        func answered(trusting: TrustedIssuer?) throws {
            let entry = try authenticator.enter(.activate(second), answers: answers(second))
            let clearance = try authenticator.clear(entry)
            var session = try authenticator.unlock(madeUpPIN("5093"), clearance)
            let enrolment = try second.open(
                code: ActivationCode(parsing: Array(code.utf8).span))
            clock.set(1_800_000_000 + (trusting == nil ? 0 : 3600))
            defer { clock.set(1_800_000_000) }
            _ = try authenticator.activate(
                &session, enrolment, from: second, named: "second", trusting: trusting, clearance)
        }
        // Its issuer's key was trusted by nobody, or no longer; then its exp went by.
        #expect(throws: AuthenticatorError.untrustedIssuer(fingerprint: second.fingerprint)) {
            try answered(trusting: nil)
        }
        #expect(throws: AuthenticatorError.linkExpired) {
            try answered(trusting: TrustedIssuer(key: second.key, name: second.issuer))
        }
        #expect(try authenticator.facts().attemptsLeft == 10)
        _ = try authenticator.makeFolders()
    }

    @Test("A link is expired from its exp on")
    func expired() throws {
        let link = try link()
        clock.set(1_800_003_600)
        #expect(throws: AuthenticatorError.linkExpired) { try activate(link) }
        clock.set(1_800_003_599)
        try activate(link)
    }

    @Test("A clock before the link's iat is doubted")
    func beforeIssue() throws {
        let link = try link()
        clock.set(1_800_000_000 - 301, isSynchronized: false)
        #expect(
            throws: AuthenticatorError.clockUnconfirmed(.beforeLink(1_800_000_000))
        ) { try activate(link) }
        clock.set(1_800_000_000 - 300, isSynchronized: false)
        try activate(link)
    }

    @Test("An issuer that nobody trusts is refused, and nothing is used up")
    func untrusted() throws {
        let link = try link()
        let authenticator = try authenticator()
        #expect(
            throws: AuthenticatorError.untrustedIssuer(fingerprint: link.fingerprint)
        ) {
            _ = try authenticator.enter(
                .activate(link), answers: Answers(isInteractive: false, isAttested: true))
        }
        try activate(link)
    }

    @Test("A link sealed to this device opens with its request, once")
    func sealed() throws {
        var authenticator = try authenticator()
        let request = try authenticator.request(isRenewed: false)
        let again = try authenticator.request(isRenewed: false)
        #expect(request == again)
        let text = try content().link(
            Seed(randomByteCount: 20), request: request, signedBy: SigningKey(),
            carrier: .web(address: "https://issuer.example/activate"))
        let sealed = try read(text)
        try activate(sealed)
        #expect(throws: AuthenticatorError.activation(.sealedToAnotherDevice)) {
            _ = try authenticator.requestKey()
        }
    }

    @Test("A request is erased after 14 days")
    func oldRequest() throws {
        var authenticator = try authenticator()
        let request = try authenticator.request(isRenewed: false)
        clock.set(1_800_000_000 + 14 * 86_400)
        #expect(try authenticator.request(isRenewed: false) == request)
        clock.set(1_800_000_001 + 14 * 86_400)
        _ = try authenticator.facts()
        #expect(try authenticator.request(isRenewed: false) != request)
    }

    @Test("The strictest policy of all living tokens holds")
    func policy() throws {
        var terms = LinkTerms()
        terms.policy = TokenPolicy(attempts: 3, sessionSeconds: 60)
        try activate(try link(terms))
        #expect(try authenticator().facts().attemptLimit == 3)
        terms.policy = TokenPolicy(attempts: 5, sessionSeconds: 30)
        try activate(try link(terms), named: "second")
        let facts = try authenticator().facts()
        #expect(facts.policy == TokenPolicy(attempts: 3, sessionSeconds: 30))
        #expect(facts.attemptsLeft == 3)
    }

    @Test("A prescribing record in the link refuses its own computer")
    func recordInLink() throws {
        var terms = LinkTerms()
        terms.prescribing = [try Surroundings.recordOfItself.text]
        let link = try link(terms)
        #expect {
            try activate(link)
        } throws: { error in
            guard case AuthenticatorError.sameDevice(let evidence) = error else { return false }
            return evidence.label == "laptop"
        }
        terms.prescribing = [try Surroundings.recordOfAnother.text]
        try activate(try self.link(terms))
        #expect(try authenticator().verdict(authenticator().facts()) == .separate)
    }
}
