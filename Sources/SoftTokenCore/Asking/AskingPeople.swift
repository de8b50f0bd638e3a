// The questions besides the PIN: attestation, clock, trust, name and choice. Bound by DESIGN §6, §7
// and CONTRACT §1.
import Activation
import Device
import Keystore
import Linux

extension Answers {
    /// What a person has said beforehand.
    ///
    /// - Parameter now: the device's clock, which `given.date` is compared with.
    init(_ person: any Prescriber, now: Int64) {
        let given = person.given
        self.init(
            isInteractive: person.canBeAsked, isAttested: given.isAttested,
            isClockConfirmed: given.date.map { $0 == LocalTime(atUnixSeconds: now).date },
            trustedFingerprint: given.trustedFingerprint)
        waitsOutDelays = person.typesPIN
        protector = given.protector
    }
}

/// A name as it is kept: without the spaces at its ends, which nobody sees or types again.
///
/// - Throws: `AuthenticatorError.unacceptableName`.
func tokenName(_ typed: String) throws(AuthenticatorError) -> String {
    let isSpace = { (scalar: Unicode.Scalar) in
        scalar.properties.generalCategory == .spaceSeparator
    }
    var name = Substring(typed).unicodeScalars
    while let first = name.first, isSpace(first) { name.removeFirst() }
    while let last = name.last, isSpace(last) { name.removeLast() }
    guard isTokenName(String(name)) else { throw .init(.unacceptableName) }
    return String(name)
}

extension Flow {
    func answers(_ person: any Prescriber) throws(AuthenticatorError) -> Answers {
        Answers(person, now: try now().unixSeconds)
    }

    /// Asks what the checks left open, and turns them into a clearance.
    func clearance(
        _ checks: PassedChecks, _ person: any Prescriber
    ) throws(AuthenticatorError) -> SeparationClearance {
        var answers = PersonalAnswers()
        if let reason = checks.attestationReason {
            let because =
                reason.sentence + (reason.adviceBeforeAttesting.map { "; \($0)" } ?? "")
            answers.isAttested = try person.answer(.sendsPrescriptions(because: because)) == .no
        }
        // Who denied is refused before anything more is asked.
        if checks.attestationReason == nil || answers.isAttested, checks.clockDoubt != nil {
            let now = LocalTime(atUnixSeconds: try now().unixSeconds)
            let question = Confirmation.clockIsRight("\(now.date) \(now.hoursAndMinutes)")
            answers.isClockConfirmed = try person.answer(question) == .yes
        }
        return try clearance(checks, answers)
    }

    /// Asks whether a new issuer is to be trusted.
    ///
    /// - Returns: the issuer, where it is trusted from now on.
    /// - Throws: `AuthenticatorError.untrustedIssuer`, logged.
    func trusted(
        _ link: VerifiedLink, _ checks: PassedChecks, _ person: any Prescriber
    ) throws(AuthenticatorError) -> TrustedIssuer? {
        let issuer = TrustedIssuer(key: link.key, name: link.issuer)
        guard let fingerprint = checks.untrustedFingerprint else {
            guard link.fingerprint == person.given.trustedFingerprint else { return nil }
            if checks.issuerStanding == .otherKey { try person.hears(.otherKey(link.issuer)) }
            return issuer
        }
        let standing = checks.issuerStanding
        let question = Confirmation.trusts(
            issuer: link.issuer, fingerprint: fingerprint, standing: standing)
        guard try person.answer(question) == .yes else {
            let refusal = AuthenticatorError.untrustedIssuer(fingerprint: fingerprint, standing)
            logRefusal(refusal, facts: checks.facts)
            throw refusal
        }
        return issuer
    }

    /// The name that was given beforehand, or one that is asked for.
    func firstName(
        suggested: String, _ person: any Prescriber
    ) throws(AuthenticatorError) -> String {
        guard let given = person.given.name else {
            return try name(suggested: suggested, person)
        }
        return try tokenName(given.isEmpty ? suggested : given)
    }

    /// Asks for a name until it is one; an empty answer takes the suggestion.
    func name(
        suggested: String, _ person: any Prescriber, after refusal: AuthenticatorError? = nil
    ) throws(AuthenticatorError) -> String {
        var refusal = refusal
        while true {
            let typed = try person.name(suggested: suggested, refusal: refusal)
            do throws(AuthenticatorError) {
                return try tokenName(typed.isEmpty ? suggested : typed)
            } catch {
                guard person.canBeAsked else { throw error }
                refusal = error
            }
        }
    }

    /// The one token that TOKEN fits. Where several do, the lock is let go and the person chooses.
    func chosen(
        _ argument: String?, _ session: inout Session, _ person: any Prescriber
    ) throws(AuthenticatorError) -> Token {
        let tokens = session.tokens.fitting(argument)
        if tokens.count == 1 { return tokens[0] }
        try release(&session)
        guard !tokens.isEmpty else {
            throw .init(
                .noSuchToken(nearest: argument.flatMap { session.tokens.nearestName(to: $0) }))
        }
        guard person.canBeAsked else { throw .init(.ambiguousToken(tokens.map(\.name))) }
        let index = try person.choice(of: tokens)
        precondition(tokens.indices.contains(index), "a choice is the index of a token")
        return tokens[index]
    }
}
