// What a prescriber should know before the first prescription of the day. Bound by DESIGN §8.
import Keystore
import Linux

/// What to say beside a token's OTPs: its end, the clock, its last use.
public struct MorningFacts: Equatable, Sendable {
    /// Within so many seconds of its end a token's end is told: 30 days.
    public static let warningSeconds: Int64 = 30 * 86_400

    /// When the token ends, Unix seconds; nil unless that is near.
    public let endsAtUnixSeconds: Int64?
    /// The OTP hangs on a clock that no time service is known to keep: a person should compare it.
    public let hasUnkeptClock: Bool
    /// When the token's OTP was made the time before, by the audit log, Unix seconds; nil if it never
    /// was, or if the log is not whole.
    public let lastUseUnixSeconds: Int64?

    /// Makes the facts: what a test of an app's drawing needs.
    public init(
        endsAtUnixSeconds: Int64? = nil, hasUnkeptClock: Bool = false,
        lastUseUnixSeconds: Int64? = nil
    ) {
        self.endsAtUnixSeconds = endsAtUnixSeconds
        self.hasUnkeptClock = hasUnkeptClock
        self.lastUseUnixSeconds = lastUseUnixSeconds
    }
}

extension Flow {
    /// The facts of a token before its use. They decide nothing: what can't be read is not told.
    func morning(of token: Token, at now: ClockReading) -> MorningFacts {
        let end = token.metadata.expiresUnixSeconds.flatMap {
            $0 - now.unixSeconds <= MorningFacts.warningSeconds ? $0 : nil
        }
        return MorningFacts(
            endsAtUnixSeconds: end,
            hasUnkeptClock: token.kind.name == "totp" && now.isSynchronized != true,
            lastUseUnixSeconds: lastUse(of: token))
    }

    private func lastUse(of token: Token) -> Int64? {
        // Read as it is: this use holds the lock, so nobody else is writing the log.
        guard let folders, let report = try? AuditLog.read(folders), report.flaw == nil else {
            return nil
        }
        return report.lines.last {
            $0.event == .otp && $0.outcome == .ok && $0.tokenID == token.id
        }?.unixSeconds
    }
}
