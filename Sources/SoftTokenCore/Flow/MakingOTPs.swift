// The OTPs of one use, all computed before the first is shown; a HOTP counter is on disk before its
// OTP is. Bound by DESIGN §1.4, §8, RFC 4226 §7.2 and RFC 6238 §4.
internal import Keystore
internal import Linux
internal import OTP

extension Authenticator {
    /// Makes the OTPs of one use of a token.
    ///
    /// - Parameters:
    ///   - sessionSeconds: how long they will be shown: TOTP makes one a step until then, from one
    ///     step before now, 64 at most; 0 for the current one alone.
    /// - Throws: `AuthenticatorError.sameDevice` (registered while the token was chosen),
    ///   `.tokenExpired`, `.counterExhausted`, `.keystore`.
    package func makeOTPs(
        _ session: inout Session, of token: Token, sessionSeconds: Int,
        _ clearance: borrowing SeparationClearance
    ) throws(AuthenticatorError) -> OneTimePasswords {
        // The lock was let go where a token was chosen, and taking it may last: what follows is as of
        // now.
        try inKeystore { () throws(KeystoreError) in try hold(&session) }
        if let refusal = registration {
            try use(&session) { (_) throws(KeystoreError) in [refusal.entry].compactMap(\.self) }
            throw refusal
        }
        let now = try now().unixSeconds
        guard token.state(atUnixSeconds: now) != .expired else {
            try use(&session) { (_) throws(KeystoreError) in
                [AuditEntry(.otp, .refused, tokenID: token.record.id, detail: "expired")]
            }
            throw .tokenExpired
        }
        switch token.parameters.factor {
        case .time(let stepSeconds):
            return try timed(
                &session, token, now: now, stepSeconds: stepSeconds,
                sessionSeconds: sessionSeconds)
        case .counter: return try counted(&session, token)
        }
    }

    private func timed(
        _ session: inout Session, _ token: Token, now: Int64, stepSeconds: Int,
        sessionSeconds: Int
    ) throws(AuthenticatorError) -> OneTimePasswords {
        let current = TimeStep(at: now, seconds: stepSeconds).number
        let first = sessionSeconds == 0 || current == 0 ? current : current - 1
        let end = now + Int64(sessionSeconds)
        // No OTP of a step that begins when the token has expired.
        let last = TimeStep(
            at: token.record.expiresUnixSeconds.map { min(end, $0 - 1) } ?? end,
            seconds: stepSeconds
        ).number
        let count = min(Int(last - first) + 1, OneTimePasswords.maximumCount)
        var truncated: [UInt32] = []
        try use(&session) { (session) throws(KeystoreError) in
            var generator = try session.keystore.codeGenerator(token.record.id)
            truncated = generator.truncatedMACs(first: first, count: count)
            return [AuditEntry(.otp, .ok, tokenID: token.record.id, detail: "totp")]
        }
        let all = truncated.enumerated().map { index, code in
            let step = TimeStep(number: first + UInt64(index), seconds: stepSeconds)
            return OneTimePassword(
                digits: token.text(of: code),
                validity: .time(
                    fromUnixSeconds: step.startUnixSeconds, untilUnixSeconds: step.endUnixSeconds))
        }
        return OneTimePasswords(token: token, all: all, currentIndex: Int(current - first))
    }

    private func counted(
        _ session: inout Session, _ token: Token
    ) throws(AuthenticatorError) -> OneTimePasswords {
        var code: UInt32 = 0
        var counter: UInt64 = 0
        try change(&session) { (session) throws(KeystoreError) in
            counter = try session.keystore.useCounter(token.record.id)
            var generator = try session.keystore.codeGenerator(token.record.id)
            code = generator.truncatedMACs(first: counter, count: 1)[0]
            return [AuditEntry(.otp, .ok, tokenID: token.record.id, detail: "hotp")]
        }
        let only = OneTimePassword(digits: token.text(of: code), validity: .counter(counter))
        return OneTimePasswords(token: token, all: [only], currentIndex: 0)
    }
}

extension Token {
    fileprivate func text(of truncated: UInt32) -> String {
        String(decoding: parameters.digits.digits(of: truncated), as: UTF8.self)
    }
}
