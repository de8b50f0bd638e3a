// `activate`: from a link to a token: verdict, attestation, clock, trust, code, name, PIN, in this
// order. Bound by CONTRACT §1, §4, §5 and DESIGN §7.
import Activation
import Keystore
import Linux

extension Authenticator {
    /// Activates a token.
    ///
    /// - Parameters:
    ///   - link: the text that holds the link; nil to ask for it (``SecretQuestion/link``).
    ///   - person: who answers.
    /// - Returns: the token, on disk.
    /// - Throws: the first refusal that applies (CONTRACT §2), or what the person throws. Until the
    ///   token is on disk nothing is used up.
    public mutating func activate(
        _ link: consuming GivenLink? = nil, asking person: any Prescriber
    ) throws(AuthenticatorError) -> Token {
        // An empty one takes the suggestion, as an empty answer does.
        if let name = person.given.name, !name.isEmpty { _ = try tokenName(name) }
        try flow.checkFiles()
        // Nobody looks for a link to be told that this device can take none.
        if link == nil, person.canBeAsked { try check(.activation, for: person) }
        var offer = try flow.offer(link, person)
        let checks = try flow.check(.activate(offer.signed), answers: try flow.answers(person))
        try flow.makeFolders()
        try confineFiles()
        let clearance = try flow.clearance(checks, person)
        try person.hears(.introduction(offer.introduction))
        let signed = offer.signed
        var issuer: TrustedIssuer?
        if let signed { issuer = try flow.trusted(signed, checks, person) }
        let enrolment = try flow.opened(&offer, person)
        if let part = enrolment.clientPart { try person.hears(.clientPart(part)) }
        let suggestion = enrolment.suggestedName
        var name = try flow.firstName(suggested: suggestion, person)
        var session = try session(checks, policy: enrolment.terms.policy, clearance, person)
        while session.tokens.contains(where: { $0.name.asSeen == name.asSeen }) {
            try flow.release(&session)
            let refusal = AuthenticatorError.keystore(.nameTaken)
            guard person.canBeAsked else { throw refusal }
            name = try flow.name(
                suggested: session.tokens.free(suggestion), person, after: refusal)
        }
        return try flow.activate(
            &session, enrolment, from: signed, named: name, trusting: issuer, clearance)
    }

    /// Unlocks the keystore that is there, or makes one.
    private mutating func session(
        _ checks: PassedChecks, policy: TokenPolicy, _ clearance: borrowing SeparationClearance,
        _ person: any Prescriber
    ) throws(AuthenticatorError) -> Session {
        guard checks.facts.isOpenable else {
            return try flow.create(
                try flow.newPIN(person), policy: policy, protector: person.given.protector,
                clearance)
        }
        guard !person.given.drawsPIN else { throw .init(.hasPIN) }
        let flow = flow
        return try flow.session(checks, person) { (pin) throws(AuthenticatorError) in
            try flow.unlock(pin, clearance)
        }
    }
}

extension [Token] {
    /// The suggestion, with a number behind it where its name is taken.
    fileprivate func free(_ suggestion: String) -> String {
        var name = suggestion
        var number = 2
        while contains(where: { $0.name.asSeen == name.asSeen }) {
            name = "\(suggestion) \(number)"
            number += 1
        }
        // 64 bytes at most; one that is too long is no suggestion.
        return name.utf8.count <= 64 ? name : suggestion
    }
}
