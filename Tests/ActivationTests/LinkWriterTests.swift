// Links that softtoken-issuer makes: what goes in comes out, and what a device would reject isn't
// made.
import Keystore
import KeystoreIssuer
import OTP
import Testing

@testable import Activation

private func content(
    _ parameters: TokenParameters = totp(), _ change: (inout SignedLinkContent) -> Void = { _ in }
) -> SignedLinkContent {
    var terms = LinkTerms()
    terms.pendingSeconds = 3600
    terms.expiresUnixSeconds = 1_900_000_000
    terms.policy = TokenPolicy(attempts: 5, sessionSeconds: 60, separation: .attest)
    terms.prescribing = ["softtoken:prescribing#AAAA"]
    var content = SignedLinkContent(
        issuer: "Issuer \"é\"", account: "ann", serial: "ST-1", parameters: parameters,
        issuedAtUnixSeconds: 1_750_000_000, expiresUnixSeconds: 1_750_600_000, terms: terms)
    change(&content)
    return content
}

private func verified(_ link: String) throws -> VerifiedLink {
    guard case .signed(let link) = try readLink(Array(link.utf8).span) else {
        throw ActivationError.noLink
    }
    return link
}

@Suite("Making links")
final class LinkWriterTests {
    let key: SigningKey
    let requestKey: RequestKey
    let request: EnrolmentRequest

    init() throws {
        key = try SigningKey()
        requestKey = try RequestKey()
        request = EnrolmentRequest(publicKey: requestKey.publicKey)
    }

    private func sealed(
        _ content: SignedLinkContent, seedByteCount: Int = 20, carrier: LinkCarrier = .activate
    ) throws -> String {
        try content.link(
            Seed(randomByteCount: seedByteCount), request: request, signedBy: key, carrier: carrier)
    }

    @Test("A link says what it was made from")
    func roundTrip() throws {
        let counter = TokenParameters(
            algorithm: .sha512, digits: DigitCount(8)!, factor: .counter(1 << 53 - 1))
        for parameters in [totp(), totp(.sha256, digits: 7, seconds: 60), counter] {
            let content = content(parameters)
            let link = try verified(try sealed(content))
            #expect(link.key == key.verifyingKey)
            #expect(link.issuer == content.issuer && link.account == content.account)
            #expect(link.serial == content.serial && link.jti == content.jti)
            #expect(link.issuedAtUnixSeconds == content.issuedAtUnixSeconds)
            #expect(link.expiresUnixSeconds == content.expiresUnixSeconds)
            #expect(link.parameters == parameters && link.terms == content.terms)
            let enrolment = try link.open(requestKey: requestKey)
            #expect(enrolment.jti == content.jti && enrolment.terms.pendingSeconds == 3600)
            #expect(enrolment.takeSeed().byteCount == 20)
        }
    }

    @Test("The activation code opens a link, another one doesn't")
    func code() throws {
        let code = try ActivationCode()
        let link = try verified(
            try content().link(Seed(randomByteCount: 64), code: code, signedBy: key))
        #expect(try link.open(code: code).takeSeed().byteCount == 64)
        #expect(throws: ActivationError.wrongCode) { _ = try link.open(code: ActivationCode()) }
    }

    @Test("Another device's key doesn't open a sealed link")
    func otherDevice() throws {
        let link = try verified(try sealed(content()))
        #expect(throws: ActivationError.sealedToAnotherDevice) {
            _ = try link.open(requestKey: RequestKey())
        }
    }

    @Test("A link travels in an address")
    func carrier() throws {
        let link = try sealed(content(), carrier: .web(address: "https://a.example/p?q"))
        #expect(link.hasPrefix("https://a.example/p?q#softtoken="))
        #expect(throws: Never.self) { try verified(link) }
        for address in ["http://a.example/", "https://", "https://a.example/#a", "https://a b/"] {
            #expect(throws: ActivationError.rejectedCarrier) {
                try sealed(content(), carrier: .web(address: address))
            }
        }
    }

    @Test("What a device would reject isn't made")
    func rejected() throws {
        let changes: [(Member, (inout SignedLinkContent) -> Void)] = [
            (.issuer, { $0.issuer = "" }), (.account, { $0.account = "\u{202E}" }),
            (.serial, { $0.serial = String(repeating: "S", count: 33) }),
            (.period, { $0.parameters.factor = .time(stepSeconds: 10) }),
            (.pending, { $0.terms.pendingSeconds = -1 }),
            (.attempts, { $0.terms.policy.attempts = 11 }),
            (.prescribing, { $0.terms.prescribing = ["AAAA"] }),
        ]
        for (member, change) in changes {
            #expect(throws: ActivationError.rejectedMember(member)) {
                try sealed(content(totp(), change))
            }
        }
        #expect(throws: ActivationError.rejectedMember(.box)) {
            try sealed(content(), seedByteCount: 15)
        }
    }

    @Test("Every strict prefix of a link is rejected")
    func prefixes() throws {
        let link = Array(try sealed(content()).utf8)
        for count in link.indices {
            #expect(throws: ActivationError.self) { _ = try readLink(Array(link[..<count]).span) }
        }
    }

    @Test("Every flipped bit of a link's JWS is rejected")
    func flippedBits() throws {
        var link = Array(try sealed(content()).utf8)
        for index in link.indices.dropFirst(activateCarrier.utf8.count) {
            for bit in 0..<8 {
                link[index] ^= 1 << UInt8(bit)
                // White space around a link doesn't count, and cutting its end off is no flip.
                #expect(throws: ActivationError.self) { _ = try readLink(link.span) }
                link[index] ^= 1 << UInt8(bit)
            }
        }
    }
}
