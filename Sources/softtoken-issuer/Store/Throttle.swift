// How often somebody may try: RFC 4226 §7.3. Pure. Bound by RECORDS.md §7.

/// Whether a token's OTP may be tried now.
enum Throttle: Equatable, Sendable {
    case open
    case delayed(seconds: Int64)
    /// Until `records unlock`.
    case locked

    /// How many tries without an accepted one cost nothing.
    static let freeTries: Int64 = 4
    private static let firstDelaySeconds: Int64 = 30
    private static let longestDelaySeconds: Int64 = 86_400

    /// - Parameters:
    ///   - tries: since the last OTP that was accepted.
    ///   - lastUnixSeconds: when the last of them was.
    ///   - limit: how many there may be.
    init(tries: Int64, lastUnixSeconds: Int64, now: Int64, limit: Int64) {
        guard tries < limit else {
            self = .locked
            return
        }
        // A clock that went back makes nobody wait longer than the whole delay.
        let passed = max(0, now - lastUnixSeconds)
        let left = Throttle.delaySeconds(tries: tries) - passed
        self = left > 0 ? .delayed(seconds: left) : .open
    }

    /// Doubles from the fifth try on.
    static func delaySeconds(tries: Int64) -> Int64 {
        guard tries > freeTries else { return 0 }
        let doublings = min(tries - freeTries - 1, 12)
        return min(firstDelaySeconds << doublings, longestDelaySeconds)
    }
}
