// Signed links through the one door: used once, expired, of an unknown issuer, sealed to a device.
// Source: DESIGN §7, CONTRACT §2 (84, 88, 65), §4.
import Activation
import Device
import Glibc
import Keystore
import KeystoreIssuer
import Linux
import OTP
import Testing

@testable import SoftTokenCore

@Suite("Signed links", .serialized) struct SignedLinkTests {
    let home = MadeUpHome()
    let clock = MadeUpClock(1_800_000_000)
    private let code = "ABCDE-FGHJK"

    func authenticator() throws -> Flow {
        let clock = clock
        return try Flow(
            place: home.place, device: .ordinary
        ) { () throws(SystemError) in clock.reading() }
    }

    private func content(
        _ terms: LinkTerms = LinkTerms(), issuer: String = "Clinic",
        issuedAt unixSeconds: Int64 = 1_800_000_000
    ) throws -> SignedLinkContent {
        SignedLinkContent(
            issuer: issuer, account: "doctor", serial: "S-1",
            parameters: TokenParameters(
                algorithm: .sha256, digits: try #require(DigitCount(6)),
                factor: .time(stepSeconds: 30)),
            issuedAtUnixSeconds: unixSeconds, expiresUnixSeconds: 1_800_003_600, terms: terms)
    }

    func link(
        _ terms: LinkTerms = LinkTerms(), issuedAt unixSeconds: Int64 = 1_800_000_000
    ) throws -> VerifiedLink {
        let text = try content(terms, issuedAt: unixSeconds).link(
            Seed(randomByteCount: 32), code: ActivationCode(parsing: Array(code.utf8).span),
            signedBy: SigningKey(), carrier: .activate)
        return try read(text)
    }

    /// A link of an issuer that signs under several names, or of several of one name.
    private func link(_ issuer: String, _ key: borrowing SigningKey) throws -> VerifiedLink {
        try read(
            try content(issuer: issuer).link(
                Seed(randomByteCount: 32), code: ActivationCode(parsing: Array(code.utf8).span),
                signedBy: key, carrier: .activate))
    }

    @Test("A key is trusted under one name: another name is asked about, another key loudly")
    func keyUnderAName() throws {
        let key = try SigningKey()
        let other = try SigningKey()
        try activate(link("Clinic", key))
        let authenticator = try authenticator()
        func standing(_ link: VerifiedLink) throws -> IssuerStanding? {
            let checks = try authenticator.check(
                .activate(link), answers: Answers(isInteractive: true, isAttested: true))
            return checks.untrustedFingerprint == nil ? nil : checks.issuerStanding
        }
        #expect(try standing(link("Clinic", key)) == nil)
        #expect(try standing(link("RXNT", key)) == .otherName)
        #expect(try standing(link("Clinic", other)) == .otherKey)
        #expect(try standing(link("Another", other)) == .new)
        for alike in ["Clinic\u{200B}", "Clinic\u{A0}", " Clinic  ", "\u{421}linic"] {
            #expect(try standing(link(alike, other)) == .otherKey, "\(alike)")
            #expect(try standing(link(alike, key)) == .otherName, "\(alike)")
        }
        let claimed = try link("Clinic", other)
        #expect(
            throws: AuthenticatorError.untrustedIssuer(
                fingerprint: claimed.fingerprint, .otherKey)
        ) {
            _ = try authenticator.check(
                .activate(claimed), answers: Answers(isInteractive: false, isAttested: true))
        }
        let words = Confirmation.trusts(
            issuer: "Clinic", fingerprint: "", standing: .otherKey
        ).explanation
        #expect(words[0].hasPrefix("WARNING: this is another key than the one that you trust as"))
        // Behind the PIN a key without its name counts for nothing, whatever was asked before it.
        let renamed = try link("RXNT", key)
        func answered() throws {
            let checks = try authenticator.check(.activate(renamed), answers: answers(renamed))
            let clearance = try authenticator.clearance(checks)
            var session = try authenticator.unlock(madeUpPIN("5093"), clearance)
            let enrolment = try renamed.open(code: ActivationCode(parsing: Array(code.utf8).span))
            _ = try authenticator.activate(
                &session, enrolment, from: renamed, named: "second", trusting: nil, clearance)
        }
        #expect(throws: AuthenticatorError.untrustedIssuer(fingerprint: renamed.fingerprint)) {
            try answered()
        }
    }

    @Test("The administrator's keys are trusted under their names, too")
    func administratorsNames() throws {
        let key = try SigningKey()
        let other = try SigningKey()
        var device = DeviceFacts.ordinary
        device.issuers = [
            try #require(IssuerFile(name: "Clinic", key: key.verifyingKey))
        ]
        #expect(device.trust(of: try link("Clinic", key)) == .trusted)
        #expect(device.trust(of: try link("RXNT", key)) == .otherName)
        #expect(device.trust(of: try link("Clinic", other)) == .otherKey)
        #expect(device.trust(of: try link("Another", other)) == .unknown)
        for alike in ["clinic", "Cli\u{200B}nic", "CLINIC\u{A0}", "\u{421}l\u{456}nic"] {
            #expect(device.trust(of: try link(alike, other)) == .otherKey, "\(alike)")
            #expect(device.trust(of: try link(alike, key)) == .otherName, "\(alike)")
        }
        // Whoever makes a user namespace puts there what files of root's they like.
        device.environment = DeviceEnvironment([.userNamespace])
        #expect(device.trust(of: try link("Clinic", key)) == .unknown)
        #expect(device.trust(of: try link("Clinic", other)) == .otherKey)
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

    func activate(_ link: VerifiedLink, named name: String = "mine") throws {
        var authenticator = try authenticator()
        let checks = try authenticator.check(.activate(link), answers: answers(link))
        let clearance = try authenticator.clearance(checks)
        let enrolment =
            switch link.box {
            case .code: try link.open(code: ActivationCode(parsing: Array(code.utf8).span))
            case .device: try link.open(requestKey: authenticator.requestKey())
            }
        var session =
            try checks.facts.isOpenable
            ? authenticator.unlock(madeUpPIN("5093"), clearance)
            : authenticator.create(madeUpPIN("5093"), policy: enrolment.terms.policy, clearance)
        _ = try authenticator.activate(
            &session, enrolment, from: link, named: name,
            trusting: TrustedIssuer(key: link.key, name: link.issuer), clearance)
    }

    @Test("A link is used once, and stays used after its token and its keystore are gone")
    func usedOnce() throws {
        let link = try link()
        try activate(link)
        #expect(throws: AuthenticatorError(.linkUsed)) { try activate(link, named: "again") }
        _ = try authenticator().reset()
        #expect(throws: AuthenticatorError(.linkUsed)) { try activate(link, named: "again") }
    }

    @Test("What changed while questions were asked is judged again under the lock")
    func judgedAgain() throws {
        let link = try link()
        try activate(link, named: "first")
        let second = try self.link()
        let authenticator = try authenticator()
        func answered(trusting: TrustedIssuer?) throws {
            let checks = try authenticator.check(.activate(second), answers: answers(second))
            let clearance = try authenticator.clearance(checks)
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
        #expect(throws: AuthenticatorError(.linkExpired)) {
            try answered(trusting: TrustedIssuer(key: second.key, name: second.issuer))
        }
        #expect(try authenticator.facts().attemptsLeft == 10)
    }

    /// What a kill leaves between saving the keystore and putting the used links in place.
    private func activateCutAfterSaving(_ link: VerifiedLink, named name: String = "mine") throws {
        if !exists("used-links") { try activate(self.link(), named: "first") }
        let saved = save(["state/used-links", "state/log-head", "state/log"])
        try activate(link, named: name)
        #expect(rename("\(state)/used-links", "\(state)/used-links.new") == 0)
        putBack(saved)
    }

    var state: String { home.place.statePath }

    func folders() throws -> KeystoreFolders {
        try KeystoreFolders.openOrCreate(
            dataPath: home.place.dataPath, statePath: home.place.statePath)
    }

    private func exists(_ name: String) -> Bool { access("\(state)/\(name)", F_OK) == 0 }

    @Test("A link whose activation was killed behind the saved token is used")
    func cutBehindTheToken() throws {
        let link = try link()
        try activateCutAfterSaving(link)
        // The lock alone settles nothing.
        _ = try KeystoreLock.take(folders())
        #expect(exists("used-links.new"))
        #expect(throws: AuthenticatorError(.linkUsed)) { try activate(link, named: "again") }
        #expect(!exists("used-links.new"))
        // Another one of that second was not used, and nothing was altered.
        try activate(self.link(), named: "another")
        #expect(throws: AuthenticatorError(.linkUsed)) { try activate(link, named: "again") }
        #expect(try tampers() == 0)
    }

    @Test("A link whose activation was killed before its token was saved is unused")
    func cutBeforeTheToken() throws {
        try activate(try link())
        let second = try link()
        _ = try UsedLinks.prepare(
            second, tokenID: 7, tokens: [], named: 0, folders: folders(),
            unixSeconds: 1_800_000_000)
        #expect(exists("used-links.new"))
        try activate(second, named: "second")
        #expect(throws: AuthenticatorError(.linkUsed)) { try activate(second, named: "again") }
        #expect(try AuditLog.read(folders()).lines.allSatisfy { $0.event != .tamper })
    }

    @Test("A session that let go of the lock settles what was killed in the meantime")
    func cutWhileUnlocked() throws {
        try activate(try link())
        let authenticator = try authenticator()
        let checks = try authenticator.check(
            .show, answers: Answers(isInteractive: false, isAttested: true))
        var session = try authenticator.unlock(madeUpPIN("5093"), authenticator.clearance(checks))
        try authenticator.release(&session)
        let link = try link()
        try activateCutAfterSaving(link, named: "second")
        try authenticator.endUse(&session)
        #expect(!exists("used-links.new"))
        #expect(throws: AuthenticatorError(.linkUsed)) { try activate(link, named: "again") }
    }

    @Test("A reset spends the link of a killed activation rather than let it be used twice")
    func cutThenReset() throws {
        let link = try link()
        try activateCutAfterSaving(link)
        _ = try authenticator().reset()
        #expect(throws: AuthenticatorError(.linkUsed)) { try activate(link, named: "again") }
    }

    @Test("An erasure spends the link of a killed activation, too")
    func cutThenErased() throws {
        var terms = LinkTerms()
        terms.policy = TokenPolicy(attempts: 3)
        let link = try link(terms)
        try activateCutAfterSaving(link)
        for _ in 1...3 {
            let authenticator = try authenticator()
            let checks = try authenticator.check(
                .show, answers: Answers(isInteractive: false, isAttested: true))
            #expect(throws: AuthenticatorError.self) {
                _ = try authenticator.unlock(madeUpPIN("7204"), authenticator.clearance(checks))
            }
        }
        #expect(throws: AuthenticatorError(.linkUsed)) { try activate(link, named: "again") }
    }

    @Test("A damaged version beside the used links is removed, and stops nothing")
    func damagedBeside() throws {
        let link = try link()
        try activate(link)
        try folders().state.replace("used-links.new", bytes: ([1, 2, 3] as [UInt8]).span)
        try activate(try self.link(), named: "second")
        #expect(!exists("used-links.new"))
        #expect(throws: AuthenticatorError(.linkUsed)) { try activate(link, named: "again") }
    }

    func tampers() throws -> Int {
        try AuditLog.read(folders()).lines.count { $0.event == .tamper }
    }

    @Test(
        "Where the used links were taken away, put back or altered, a link of before may have been used",
        arguments: ["taken away", "put back", "altered"])
    func notAsVouched(how: String) throws {
        let name = "\(state)/used-links"
        try activate(try link())
        let saved = try #require(
            try folders().state.contents(of: "used-links", limit: 4096))
        let second = try link()
        try activate(second, named: "second")
        #expect(try tampers() == 0)
        switch how {
        case "taken away": #expect(unlink(name) == 0)
        case "put back":
            try folders().state.replace("used-links", bytes: saved.span)
        default: try folders().state.replace("used-links", bytes: ([1, 2, 3] as [UInt8]).span)
        }
        let unused = try link()
        for link in [second, unused] {
            #expect(throws: AuthenticatorError(.linkUsed)) { try activate(link, named: "third") }
        }
        clock.set(1_800_000_060)
        let newer = try link(issuedAt: 1_800_000_310)
        try activate(newer, named: "third")
        #expect(try tampers() == 1)
        // Whole again, and what was refused stays refused.
        for link in [second, unused, newer] {
            #expect(throws: AuthenticatorError(.linkUsed)) { try activate(link, named: "fourth") }
        }
        try activate(try link(issuedAt: 1_800_000_310), named: "fourth")
        #expect(try tampers() == 1)
    }

    @Test("A link is expired from its exp on")
    func expired() throws {
        let link = try link()
        clock.set(1_800_003_600)
        #expect(throws: AuthenticatorError(.linkExpired)) { try activate(link) }
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
            _ = try authenticator.check(
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
        terms.prescribing = [try DeviceFacts.recordOfItself.text]
        let link = try link(terms)
        #expect {
            try activate(link)
        } throws: { error in
            guard case .sameDevice(let evidence) = (error as? AuthenticatorError)?.cause else {
                return false
            }
            return evidence.label == "laptop"
        }
        terms.prescribing = [try DeviceFacts.recordOfAnother.text]
        try activate(try self.link(terms))
        #expect(try authenticator().verdict(authenticator().facts()) == .separate)
    }
}
