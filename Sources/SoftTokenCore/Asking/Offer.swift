// The link that is being activated, from its text to its opened seed. Bound by CONTRACT §4, §5.
import Activation
import Keystore
import Linux

/// What a link offers: an unsigned one is open at once, a signed one needs a code or this device.
struct Offer: ~Copyable {
    private var unsigned: Enrolment?
    let signed: VerifiedLink?
    /// Issuer, account and serial, for the prescriber to see.
    let introduction: String

    /// Reads a link and verifies its signature.
    init(_ text: borrowing LinkText) throws(AuthenticatorError) {
        let link = try judging(
            try text.read { (bytes) throws(ActivationError) in try readLink(bytes) })
        switch consume link {
        case .unsigned(let enrolment):
            introduction = Offer.words(enrolment.identity, signed: "not signed")
            signed = nil
            unsigned = consume enrolment
        case .signed(let link):
            introduction = Offer.words(
                link.identity, signed: "signed with key \(link.fingerprint)")
            signed = link
            unsigned = nil
        }
    }

    /// Gives the opened enrolment of an unsigned link, once.
    mutating func takeUnsigned() -> Enrolment? { unsigned.take() }

    private static func words(_ whom: LinkIdentity, signed: String) -> String {
        let parts = [
            whom.issuer.map { "issuer \($0)" }, whom.account.map { "account \($0)" },
            whom.serial.map { "serial \($0)" },
        ].compactMap(\.self)
        let who =
            parts.isEmpty ? "The link names nobody" : "Token of \(parts.joined(separator: ", "))"
        return "\(who) (\(signed))"
    }
}

extension Flow {
    /// The link that was given, or else the one that is asked for until it can be read.
    func offer(
        _ given: consuming GivenLink?, _ person: any Prescriber
    ) throws(AuthenticatorError) -> Offer {
        // What was given goes as soon as it is parsed.
        if let given = given.take() { return try Offer(given.text) }
        var last: AuthenticatorError?
        while true {
            do throws(AuthenticatorError) {
                if let last { try person.hears(.askedAgain(last)) }
                return try askedOffer(person)
            } catch {
                if let last, error.isOfPerson { throw last }
                guard person.canBeAsked, case .activation(let reason) = error.cause,
                    reason != .outOfMemory
                else { throw error }
                last = error
            }
        }
    }

    private func askedOffer(_ person: any Prescriber) throws(AuthenticatorError) -> Offer {
        let typed = try secret(.link, person)
        guard typed.byteCount < SecretQuestion.link.capacity else { throw .activation(.tooLong) }
        let text = try judging(
            try typed.read { (bytes) throws(ActivationError) in try LinkText(copying: bytes) })
        return try Offer(text)
    }

    /// Opens the seed: with the activation code, or with the key of this device's request. What
    /// doesn't open is logged.
    func opened(
        _ offer: inout Offer, _ person: any Prescriber
    ) throws(AuthenticatorError) -> Enrolment {
        if let enrolment = offer.takeUnsigned() { return enrolment }
        guard let link = offer.signed else { preconditionFailure("an offer is opened once") }
        // Where a person types it, who doesn't see what they type: three times in all.
        var triesLeft = person.canBeAsked ? 3 : 1
        while true {
            triesLeft -= 1
            do throws(AuthenticatorError) { return try openedOnce(link, person) } catch {
                guard case .activation(let reason) = error.cause else { throw error }
                reject(reason)
                guard triesLeft > 0, reason == .malformedCode || reason == .wrongCode else {
                    throw error
                }
                try person.hears(.askedAgain(error))
            }
        }
    }

    private func openedOnce(
        _ link: VerifiedLink, _ person: any Prescriber
    ) throws(AuthenticatorError) -> Enrolment {
        if case .device = link.box {
            let key = try requestKey()
            return try judging(try link.open(requestKey: key))
        }
        let typed = try secret(.activationCode, person)
        let code = try judging(
            try typed.read { (bytes) throws(ActivationError) in try ActivationCode(parsing: bytes) }
        )
        return try judging(try link.open(code: code))
    }
}
