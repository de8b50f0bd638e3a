// What is to be made: one token's link and its verifier's record. Bound by CONTRACT §4, §6 and
// RFC 6030 §10.
import Activation
import Keystore
import KeystoreIssuer
import Linux
import OTP

/// One token, ordered.
struct TokenOrder: Sendable {
    /// How the link's box is locked.
    enum Lock: Sendable {
        /// An activation code: a given one, or a new one.
        case code(String?)
        /// The device that sent this request.
        case request(EnrolmentRequest)
    }

    var account: String
    var serial: String
    var parameters: TokenParameters
    var terms: LinkTerms
    var lock: Lock

    /// What a verifier keeps of it.
    func record(issuer: String) -> TokenMetadata {
        TokenMetadata(
            serial: serial, account: account, issuer: issuer,
            state: VerifierState(parameters: parameters),
            expiryUnixSeconds: terms.expiresUnixSeconds)
    }

    /// A serial that nobody gave: `ST` and ten letters, 50 bits, so that a million of them are
    /// different.
    static func drawnSerial() -> String {
        "ST" + TextAlphabet.crockford.text(randomBytes(count: 7)).prefix(10)
    }

    /// RFC 4226 R6 recommends 160 bits; RFC 6238's reference seeds are as long as the MAC.
    static func drawnSeed(_ algorithm: HashAlgorithm) throws(Failure) -> Seed {
        try inMemory(try Seed(randomByteCount: algorithm.macByteCount))
    }
}

/// What was made of an order.
struct MadeLink: Sendable {
    let link: String
    /// To be sent on another way; nil for a link that is sealed to a device.
    var code: String?
    /// Of the request that the link is sealed to, to be compared once more; nil for a link with a code.
    var verification: String?
    let jti: [UInt8]
}

/// What all links of one run have in common.
final class LinkMaker: Sendable {
    let key: IssuerKey
    private let carrier: LinkCarrier
    private let validSeconds: Int64

    init(key: consuming IssuerKey, carrier: LinkCarrier, validSeconds: Int64) {
        self.key = key
        self.carrier = carrier
        self.validSeconds = validSeconds
    }

    /// Copies the signing key into memory of its own, for another thread.
    func copy() throws(Failure) -> LinkMaker {
        let signingKey = try inMemory(try key.signingKey.copy())
        return LinkMaker(
            key: IssuerKey(name: key.name, signingKey: signingKey), carrier: carrier,
            validSeconds: validSeconds)
    }

    /// Makes the link of an order.
    ///
    /// - Throws: `ActivationError`: the content can't be a link's, by the reader's own rules.
    func link(
        _ order: TokenOrder, seed: borrowing Seed, at unixSeconds: Int64
    ) throws(ActivationError) -> MadeLink {
        let content = SignedLinkContent(
            issuer: key.name, account: order.account, serial: order.serial,
            parameters: order.parameters, issuedAtUnixSeconds: unixSeconds,
            expiresUnixSeconds: unixSeconds + validSeconds, terms: order.terms)
        switch order.lock {
        case .request(let request):
            let link = try content.link(
                seed, request: request, signedBy: key.signingKey, carrier: carrier)
            return MadeLink(link: link, verification: request.verification, jti: content.jti)
        case .code(let given):
            let code =
                if let given { try ActivationCode(parsing: Array(given.utf8).span) } else {
                    try ActivationCode()
                }
            let link = try content.link(
                seed, code: code, signedBy: key.signingKey, carrier: carrier)
            let shown = code.readShown { text in
                String(decoding: text.indices.map { text[$0] }, as: UTF8.self)
            }
            return MadeLink(link: link, code: shown, jti: content.jti)
        }
    }
}

/// Whether a name or an account survives XML and terminals: CONTRACT §1's rule, and no white space
/// at its ends, which XML readers drop.
func isAcceptableName(_ text: String, bytes: ClosedRange<Int>) -> Bool {
    isAcceptableText(text, bytes: bytes) && text.first?.isWhitespace == false
        && text.last?.isWhitespace == false
}
