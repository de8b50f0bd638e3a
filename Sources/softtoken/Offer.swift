// The link that is being activated, from its text to its opened seed. Bound by CONTRACT §4, §5.
import Activation
import Keystore
import Linux
import SoftTokenCore

/// What a link offers: an unsigned one is open at once, a signed one needs a code or this device.
struct Offer: ~Copyable {
    private var unsigned: Enrolment?
    let signed: VerifiedLink?
    /// Issuer, account and serial, for the prescriber to see.
    let introduction: String

    private init(_ enrolment: consuming Enrolment) {
        introduction = Offer.words(
            enrolment.issuer, enrolment.account, enrolment.serial, signed: "not signed")
        signed = nil
        unsigned = consume enrolment
    }

    private init(_ link: VerifiedLink) {
        introduction = Offer.words(
            link.issuer, link.account, link.serial, signed: "signed with key \(link.fingerprint)")
        signed = link
        unsigned = nil
    }

    /// Reads the link and verifies its signature.
    static func read(_ text: borrowing LinkText) throws(Failure) -> Offer {
        let link = try judging { () throws(ActivationError) in
            try text.read { (bytes) throws(ActivationError) in try readLink(bytes) }
        }
        switch consume link {
        case .unsigned(let enrolment): return Offer(enrolment)
        case .signed(let verified): return Offer(verified)
        }
    }

    /// Opens the seed: with the activation code, or with the key of this device's request.
    mutating func open(
        _ authenticator: borrowing Authenticator, _ console: borrowing Console
    ) throws(Failure) -> Enrolment {
        if let enrolment = unsigned.take() { return enrolment }
        guard let signed else { preconditionFailure("an offer is opened once") }
        guard case .device = signed.box else {
            return try Offer.open(signed, authenticator, console)
        }
        let key = try authenticating { () throws(AuthenticatorError) in
            try authenticator.requestKey()
        }
        return try judging { () throws(ActivationError) in try signed.open(requestKey: key) }
    }

    /// At a terminal a mistyped code is asked for again, since nobody sees what they type.
    private static func open(
        _ link: VerifiedLink, _ authenticator: borrowing Authenticator,
        _ console: borrowing Console
    ) throws(Failure) -> Enrolment {
        var triesLeft = console.isInteractive ? 3 : 1
        while true {
            triesLeft -= 1
            do throws(Failure) { return try openOnce(link, console) } catch {
                guard triesLeft > 0, case .authenticator(.activation(let reason)) = error,
                    reason == .malformedCode || reason == .wrongCode
                else { throw error }
                authenticator.reject(reason)
                let sentence = reason.explanation
                console.say(
                    sentence.prefix(1).uppercased() + sentence.dropFirst()
                        + ". Nothing is used up: type it again.")
            }
        }
    }

    private static func openOnce(
        _ link: VerifiedLink, _ console: borrowing Console
    ) throws(Failure) -> Enrolment {
        let typed = try console.secret(
            "the activation code", prompt: "Activation code (it came on another way): ")
        guard let typed else { throw .authenticator(.activation(.malformedCode)) }
        do throws(ActivationError) {
            let code = try typed.read { (bytes) throws(ActivationError) in
                try ActivationCode(parsing: bytes)
            }
            return try link.open(code: code)
        } catch { throw .authenticator(.activation(error)) }
    }

    private static func words(
        _ issuer: String?, _ account: String?, _ serial: String?, signed: String
    ) -> String {
        var parts: [String] = []
        if let issuer { parts.append("issuer \(issuer)") }
        if let account { parts.append("account \(account)") }
        if let serial { parts.append("serial \(serial)") }
        let who =
            parts.isEmpty ? "The link names nobody" : "Token of \(parts.joined(separator: ", "))"
        return "\(who) (\(signed))"
    }
}

extension VerifiedLink {
    /// Its issuer, to be trusted.
    var trustedIssuer: TrustedIssuer { TrustedIssuer(key: key, name: issuer) }
}
