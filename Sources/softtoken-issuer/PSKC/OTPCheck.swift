// Whether a one-time password is accepted, and what the verifier has to remember: pure. Bound by
// RFC 4226 §7.2 (once only), §7.4 (look-ahead, two in a row), RFC 6238 §5.2, §6 (drift).
import OTP

/// CONTRACT §4: HOTP's last counter. The next one, in a record, says that it was used.
let lastCounter: Int64 = 1 << 53 - 1

/// What a verifier remembers of a token.
struct VerifierState: Equatable, Sendable {
    var parameters: TokenParameters
    /// TOTP: the time step of the last OTP that was accepted; none of it or before it is again.
    var lastStep: Int64?
    /// TOTP: by how many steps the token's clock is ahead of ours.
    var driftSteps: Int64 = 0
}

/// How far from where it should be an OTP may be.
struct OTPWindow: Equatable, Sendable {
    /// HOTP: counters ahead. TOTP: steps to each side.
    var single: Int
    /// How far, in the same unit, two OTPs in a row may be.
    var pair: Int

    /// RFC 4226 §7.4: as small as usability allows; RFC 6238 §5.2: one step of delay.
    static func standard(_ factor: MovingFactor) -> OTPWindow {
        switch factor {
        case .counter: OTPWindow(single: 10, pair: 1000)
        case .time: OTPWindow(single: 1, pair: 100)
        }
    }
}

/// What became of an OTP.
enum OTPVerdict: Equatable, Sendable {
    /// What to remember; `moved` counters or steps away from where it was expected.
    case accepted(VerifierState, moved: Int64)
    case usedAlready
    case notFound
}

/// Looks for an OTP, or for two in a row, to each side of where it is expected: what stands behind was
/// used already. Of several the nearest is meant.
///
/// - Parameters:
///   - otps: digits; one or two.
///   - codes: the OTPs of consecutive moving factors, from the first on.
func check(
    _ otps: [[UInt8]], state: VerifierState, at unixSeconds: Int64, window: OTPWindow,
    codes: (_ first: UInt64, _ count: Int) -> [[UInt8]]
) -> OTPVerdict {
    precondition((1...2).contains(otps.count), "one OTP, or two in a row")
    let reach = Int64(otps.count == 1 ? window.single : window.pair)
    let more = Int64(otps.count - 1)
    let (now, expected, used, last): (Int64, Int64, Int64, Int64)
    switch state.parameters.factor {
    case .counter(let counter):
        (now, expected, used) = (0, Int64(counter), Int64(counter) - 1)
        last = lastCounter - more
    case .time(let seconds):
        now = Int64(TimeStep(at: unixSeconds, seconds: seconds).number)
        // Of two in a row the second is the one of now.
        (expected, used, last) = (now + state.driftSteps - more, state.lastStep ?? -1, .max)
    }
    let (lower, upper) = (max(0, expected - reach), min(expected + reach, last))
    guard lower <= upper else { return .notFound }
    let found = positions(of: otps, in: lower...upper, codes)
    let fresh = found.filter { $0 > used }
    guard let first = fresh.min(by: { abs($0 - expected) < abs($1 - expected) }) else {
        return found.isEmpty ? .notFound : .usedAlready
    }
    var next = state
    switch state.parameters.factor {
    case .counter: next.parameters.factor = .counter(UInt64(first + more + 1))
    case .time:
        next.lastStep = first + more
        next.driftSteps = first + more - now
    }
    return .accepted(next, moved: first - expected)
}

/// Where the OTPs stand one behind the other.
private func positions(
    of otps: [[UInt8]], in range: ClosedRange<Int64>, _ codes: (UInt64, Int) -> [[UInt8]]
) -> [Int64] {
    let all = codes(UInt64(range.lowerBound), range.count + otps.count - 1)
    return (0..<range.count).filter { start in
        otps.indices.allSatisfy { all[start + $0] == otps[$0] }
    }.map { range.lowerBound + Int64($0) }
}
