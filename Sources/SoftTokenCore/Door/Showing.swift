// `show`: the OTPs of one use. Bound by CONTRACT §1 and DESIGN §1.3, §1.4, §8.
import Keystore
import Linux

/// How long a use of a token shows its OTPs.
public enum DisplayLength: Equatable, Sendable {
    /// The current OTP, and no display.
    case once
    /// As long as policy and the token's end allow, and no longer than this many seconds; nil for all
    /// of it.
    case session(atMostSeconds: Int?)
}

extension Authenticator {
    /// Makes the OTPs of one use. When this returns, seed, keys and PIN are zeroized, the counter of a
    /// HOTP token is on disk, and the use is in the audit log. In a confined process a later use that
    /// has to compare this device with its first prescribing record ends with `inputOutput`. The
    /// display needs nothing of the authenticator, which has the folders and the TPM open until its end.
    ///
    /// - Parameters:
    ///   - token: a name, a serial, or an unambiguous start of either; nil where there is one token.
    ///     CONTRACT §1 (TOKEN).
    ///   - length: how long it will be shown.
    ///   - person: who answers.
    /// - Throws: the first refusal that applies (CONTRACT §2), or what the person throws.
    public func show(
        _ token: String? = nil, for length: DisplayLength, asking person: any Prescriber
    ) throws(AuthenticatorError) -> DisplaySession {
        let checks = try flow.check(.show, answers: try flow.answers(person))
        try confineFiles(comparesLater: false)
        let clearance = try flow.clearance(checks, person)
        var session = try flow.session(checks, person) { (pin) throws(AuthenticatorError) in
            try flow.unlock(pin, clearance)
        }
        let chosen = try flow.chosen(token, &session, person)
        var seconds = 0
        if case .session(let wanted) = length {
            let limit = try flow.sessionSeconds(session, of: chosen)
            seconds = min(wanted ?? limit, limit)
        }
        // The use itself is the log's next entry.
        let morning = seconds > 0 ? flow.morning(of: chosen, at: try flow.now()) : MorningFacts()
        var display = try flow.makeOTPs(&session, of: chosen, seconds: seconds, clearance)
        display.morning = morning
        return display
    }
}
