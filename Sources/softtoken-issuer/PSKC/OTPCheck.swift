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

/// Looks for an OTP, or for two in a row.
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
    switch state.parameters.factor {
    case .counter(let counter):
        return check(otps, counter: Int64(counter), reach: reach, state: state, codes: codes)
    case .time(let seconds):
        let now = Int64(TimeStep(at: unixSeconds, seconds: seconds).number)
        return check(otps, now: now, reach: reach, state: state, codes: codes)
    }
}

/// HOTP: the counter goes to behind the OTP that was found.
private func check(
    _ otps: [[UInt8]], counter: Int64, reach: Int64, state: VerifierState,
    codes: (UInt64, Int) -> [[UInt8]]
) -> OTPVerdict {
    let last = min(counter + reach, lastCounter - Int64(otps.count - 1))
    if let first = counter > last ? nil : positions(of: otps, in: counter...last, codes).first {
        var next = state
        next.parameters.factor = .counter(UInt64(first) + UInt64(otps.count))
        return .accepted(next, moved: first - counter)
    }
    guard counter > 0 else { return .notFound }
    let past = max(0, counter - reach)...(counter - 1)
    return positions(of: otps, in: past, codes).isEmpty ? .notFound : .usedAlready
}

/// TOTP: the step nearest to where the token's clock was last seen.
private func check(
    _ otps: [[UInt8]], now: Int64, reach: Int64, state: VerifierState,
    codes: (UInt64, Int) -> [[UInt8]]
) -> OTPVerdict {
    // Of two in a row the second is the one of now.
    let expected = now + state.driftSteps - Int64(otps.count - 1)
    guard expected + reach >= 0 else { return .notFound }
    let found = positions(of: otps, in: max(0, expected - reach)...(expected + reach), codes)
    let fresh = found.filter { $0 > state.lastStep ?? -1 }
    guard let first = fresh.min(by: { abs($0 - expected) < abs($1 - expected) }) else {
        return found.isEmpty ? .notFound : .usedAlready
    }
    var next = state
    let last = first + Int64(otps.count - 1)
    next.lastStep = last
    next.driftSteps = last - now
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
