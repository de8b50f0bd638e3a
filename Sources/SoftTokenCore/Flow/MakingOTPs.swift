// The OTPs of one use, all computed before the first is shown; a HOTP counter is on disk before its
// OTP is. Bound by DESIGN §1.4, §8, RFC 4226 §7.2 and RFC 6238 §4.
import Keystore
import Linux
import OTP

extension Flow {
    /// Makes the OTPs of one use of a token.
    ///
    /// - Parameters:
    ///   - seconds: how long they will be shown: TOTP makes one a step until then, 64 at
    ///     most; 0 for the current one alone.
    /// - Throws: `AuthenticatorError.sameDevice` (registered while the token was chosen),
    ///   `.tokenExpired`, `.counterExhausted`, `.keystore`.
    func makeOTPs(
        _ session: inout Session, of token: Token, seconds: Int,
        _ clearance: borrowing SeparationClearance
    ) throws(AuthenticatorError) -> DisplaySession {
        // Where a token was chosen the lock was released, and taking it again may last: marker and
        // clock are read behind it.
        _ = try inKeystore(try hold(&session))
        if let refusal = refusalMeanwhile {
            try use(&session) { (_, _) throws(KeystoreError) in [refusal.entry].compactMap(\.self) }
            throw refusal
        }
        let now = try now()
        guard token.state(atUnixSeconds: now.unixSeconds) != .expired else {
            try use(&session) { (_, _) throws(KeystoreError) in
                [AuditEntry(.otp, .refused, tokenID: token.metadata.id, detail: "expired")]
            }
            throw .init(.tokenExpired)
        }
        switch token.parameters.factor {
        case .time(let stepSeconds):
            return try timed(&session, token, now, stepSeconds: stepSeconds, seconds: seconds)
        case .counter: return try counted(&session, token, now, seconds: seconds)
        }
    }

    private func timed(
        _ session: inout Session, _ token: Token, _ now: ClockReading, stepSeconds: Int,
        seconds: Int
    ) throws(AuthenticatorError) -> DisplaySession {
        let first = TimeStep(at: now.unixSeconds, seconds: stepSeconds).number
        let end = now.unixSeconds + Int64(seconds)
        // No OTP of a step that begins when the token has expired.
        let last = TimeStep(
            at: token.metadata.expiresUnixSeconds.map { min(end, $0 - 1) } ?? end,
            seconds: stepSeconds
        ).number
        let count = min(Int(last - first) + 1, DisplaySession.maximumCount)
        var made: DisplaySession?
        try use(&session) { (session, _) throws(KeystoreError) in
            var generator = try session.keystore.codeGenerator(token.metadata.id)
            made = try DisplaySession(
                of: token, count: count,
                sequence: .steps(first: TimeStep(number: first, seconds: stepSeconds)), start: now,
                seconds: seconds, clock: clock
            ) { generator.makeTruncatedMACs(first: first, count: count, $0) }
            return [AuditEntry(.otp, .ok, tokenID: token.metadata.id, detail: "totp")]
        }
        guard let made = made.take() else { preconditionFailure("the use made it") }
        return made
    }

    private func counted(
        _ session: inout Session, _ token: Token, _ now: ClockReading, seconds: Int
    ) throws(AuthenticatorError) -> DisplaySession {
        var made: DisplaySession?
        let entry = AuditEntry(.otp, .ok, tokenID: token.metadata.id, detail: "hotp")
        try change(&session, logging: entry) { (keystore) throws(KeystoreError) in
            let counter = try keystore.useCounter(token.metadata.id)
            var generator = try keystore.codeGenerator(token.metadata.id)
            made = try DisplaySession(
                of: token, count: 1, sequence: .single(counter: counter), start: now,
                seconds: seconds, clock: clock
            ) { generator.makeTruncatedMACs(first: counter, count: 1, $0) }
        }
        guard let made = made.take() else { preconditionFailure("the use made it") }
        return made
    }
}
