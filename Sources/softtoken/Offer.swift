// The link that is being activated, from its text to its opened seed. Bound by CONTRACT §4, §5.
import Activation
import Keystore
import Linux
import SoftTokenCore

/// What a link offers: an unsigned one is open at once, a signed one needs a code or this device.
struct Offer: ~Copyable {
    private let link: ActivationLink
    let signed: VerifiedLink?
    /// Issuer, account and serial, for the prescriber to see.
    let introduction: String

    /// Reads the link and verifies its signature.
    init(_ text: borrowing LinkText) throws(Failure) {
        let link = try judging { () throws(ActivationError) in try readActivation(text) }
        switch link {
        case .unsigned(let enrolment):
            signed = nil
            introduction = Offer.words(
                enrolment.issuer, enrolment.account, enrolment.serial, signed: "not signed")
        case .signed(let verified):
            signed = verified
            introduction = Offer.words(
                verified.issuer, verified.account, verified.serial,
                signed: "signed with key \(verified.fingerprint)")
        }
        self.link = link
    }

    /// Opens the seed: with the activation code, or with the key of this device's request.
    consuming func open(
        _ authenticator: borrowing Authenticator, _ console: borrowing Console
    ) throws(Failure) -> Enrolment {
        switch consume link {
        case .unsigned(let enrolment): return enrolment
        case .signed(let verified):
            if case .device = verified.box {
                let key = try authenticating { () throws(AuthenticatorError) in
                    try authenticator.requestKey()
                }
                return try judging { () throws(ActivationError) in
                    try verified.open(requestKey: key)
                }
            }
            return try Offer.open(verified, console)
        }
    }

    private static func open(
        _ link: VerifiedLink, _ console: borrowing Console
    ) throws(Failure) -> Enrolment {
        let typed = try console.secret(
            "the activation code", prompt: "Activation code (it came on another way): ")
        return try judging { () throws(ActivationError) in
            guard let typed else { throw .malformedCode }
            let code = try typed.read { (bytes) throws(ActivationError) in
                try ActivationCode(parsing: bytes)
            }
            return try link.open(code: code)
        }
    }

    private static func words(
        _ issuer: String?, _ account: String?, _ serial: String?, signed: String
    ) -> String {
        var parts: [String] = []
        if let issuer { parts.append("issuer \(issuer)") }
        if let account { parts.append("account \(account)") }
        if let serial { parts.append("serial \(serial)") }
        let who = parts.isEmpty ? "The link names nobody" : "Token of \(parts.joined(separator: ", "))"
        return "\(who) (\(signed))"
    }
}

extension VerifiedLink {
    /// Its issuer, to be trusted.
    var trustedIssuer: TrustedIssuer { TrustedIssuer(key: key, name: issuer) }
}
