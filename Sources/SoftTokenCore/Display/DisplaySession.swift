// What the display shows at a moment: a pure function of the OTPs computed beforehand and the
// clocks. No seed and no key is near it: they are gone before the first OTP is shown. Bound by
// DESIGN §1.3, §1.4 and §8.
import Keystore
import Linux
import OTP

/// One use of a token: its OTPs in guarded memory, shown until the use ends by itself. It can't be
/// copied; its end zeroizes them.
///
/// Ask for a frame each second. Only the OTP that a frame shows, and the next one while it is
/// announced, leave the guarded memory. DESIGN §1.4.
public struct DisplaySession: ~Copyable {
    /// How the OTPs follow each other.
    enum Sequence: Equatable, Sendable {
        /// TOTP: one a time step, from `first` on without a gap.
        case steps(first: TimeStep)
        /// HOTP: the one OTP of this use, and its counter.
        case single(counter: UInt64)
    }

    /// The token as it was when its OTPs were made.
    public let token: Token
    /// How long the use lasts, seconds from its beginning; 0 for the current OTP alone.
    public let seconds: Int
    /// What to know of the token; nothing for a use that shows the current OTP alone.
    public internal(set) var morning = MorningFacts()
    private let otps: SecureBytes
    private let sequence: Sequence
    private let start: ClockReading
    private let clock: @Sendable () throws(SystemError) -> ClockReading

    /// DESIGN §8: at most so many OTPs in a session.
    static let maximumCount = 64

    /// Makes the OTPs, each straight into guarded memory.
    ///
    /// - Parameters:
    ///   - count: how many OTPs; 1 for `single`.
    ///   - start: the clocks when the session began.
    ///   - seconds: how long it lasts, in boot time.
    ///   - make: makes the truncated MACs and gives each its number, from 0 on.
    /// - Throws: `KeystoreError.outOfMemory`, and what `make` throws.
    init(
        of token: Token, count: Int, sequence: Sequence, start: ClockReading, seconds: Int,
        clock: @escaping @Sendable () throws(SystemError) -> ClockReading,
        _ make: ((Int, UInt32) -> Void) throws(KeystoreError) -> Void
    ) throws(KeystoreError) {
        let digits = token.parameters.digits
        var packed = try SecureBytes(count: count * digits.value)
        try packed.write { (bytes: inout MutableSpan<UInt8>) throws(KeystoreError) in
            try make { index, truncated in
                digits.write(truncated, into: &bytes, at: index * digits.value)
            }
        }
        otps = packed
        self.token = token
        self.sequence = sequence
        self.start = start
        self.seconds = seconds
        self.clock = clock
    }

    var otpCount: Int { otps.count / token.digits }

    /// How far the wall clock may drift from boot time before the OTPs can't be trusted: a step of
    /// the clock makes each of them a wrong one (DESIGN §8).
    static let toleranceNanoseconds: Int64 = 2_000_000_000

    /// The one OTP that holds at the session's start, for a use that shows no more.
    public borrowing func current() -> OneTimePassword {
        switch sequence {
        case .single(let counter):
            OneTimePassword(digits: otp(at: 0), validity: .counter(counter))
        case .steps(let first): otp(of: TimeStep(at: start.unixSeconds, seconds: first.seconds))
        }
    }

    /// What to show now.
    ///
    /// - Throws: `failed` if the clock can't be read.
    public borrowing func frame() throws(AuthenticatorError) -> DisplayFrame {
        frame(at: try fromSystem(try clock()))
    }

    borrowing func frame(at now: ClockReading) -> DisplayFrame {
        let elapsed = Int64(bitPattern: now.boot.nanoseconds &- start.boot.nanoseconds)
        let moved = wallNanoseconds(now) &- wallNanoseconds(start) &- elapsed
        guard now.boot.bootID == start.boot.bootID, elapsed >= 0,
            moved.magnitude <= DisplaySession.toleranceNanoseconds.magnitude
        else { return .ended(.clockMoved(seconds: Int(moved / 1_000_000_000))) }
        let secondsGone = Int(elapsed / 1_000_000_000)
        guard secondsGone < seconds else { return .ended(.sessionOver) }
        let end = start.unixSeconds + Int64(seconds)
        switch sequence {
        case .single:
            return .showing(showing(current(), now: now, end: end, rolling: nil))
        case .steps(let first): return rollingFrame(first: first, now: now, end: end)
        }
    }

    private borrowing func rollingFrame(
        first: TimeStep, now: ClockReading, end: Int64
    ) -> DisplayFrame {
        var step = TimeStep(at: now.unixSeconds, seconds: first.seconds)
        // The clock was set back over the step's beginning, by less than counts as set.
        if step.number < first.number { step = first }
        guard holds(step) else { return .ended(.noneLeft) }
        let next = TimeStep(number: step.number + 1, seconds: step.seconds)
        let left = min(Int(step.endUnixSeconds - now.unixSeconds), first.seconds)
        let isNextNear = left < DisplayFrame.announcementSeconds
        let isNextShown = isNextNear && holds(next) && step.endUnixSeconds < end
        let rolling = DisplayFrame.Rolling(
            secondsLeft: left, stepSeconds: first.seconds,
            rollsOverAtUnixSeconds: step.endUnixSeconds,
            next: isNextShown ? otp(of: next).digits : nil)
        return .showing(showing(otp(of: step), now: now, end: end, rolling: rolling))
    }

    private borrowing func showing(
        _ otp: OneTimePassword, now: ClockReading, end: Int64, rolling: DisplayFrame.Rolling?
    ) -> DisplayFrame.Showing {
        DisplayFrame.Showing(
            otp: otp, rolling: rolling,
            pendingUntilUnixSeconds: token.pendingUntil(atUnixSeconds: now.unixSeconds),
            endsAtUnixSeconds: end)
    }

    private func holds(_ step: TimeStep) -> Bool {
        guard case .steps(let first) = sequence else { return false }
        return step.number >= first.number && step.number - first.number < UInt64(otpCount)
    }

    /// The OTP of a step that `holds`.
    private borrowing func otp(of step: TimeStep) -> OneTimePassword {
        guard case .steps(let first) = sequence else { preconditionFailure("HOTP has no steps") }
        return OneTimePassword(
            digits: otp(at: Int(step.number - first.number)),
            validity: .time(
                fromUnixSeconds: step.startUnixSeconds, untilUnixSeconds: step.endUnixSeconds))
    }

    /// Eight digits fit into a String itself: none of it goes to the heap.
    private borrowing func otp(at index: Int) -> String {
        let range = index * token.digits..<(index + 1) * token.digits
        return otps.read { bytes in
            var text = ""
            for position in range { text.unicodeScalars.append(Unicode.Scalar(bytes[position])) }
            return text
        }
    }

    private borrowing func wallNanoseconds(_ reading: ClockReading) -> Int64 {
        reading.unixSeconds &* 1_000_000_000 &+ reading.unixNanoseconds
    }
}
