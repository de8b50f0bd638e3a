// What the display shows at a moment: a pure function of the OTPs computed beforehand and the
// clocks. No seed and no key is near it: they are gone before the first OTP is shown. Bound by
// DESIGN §1.3, §1.4 and §8. It reads no clock (STYLE 19).
package import Keystore
package import Linux
package import OTP

/// One use: the OTPs of a session, shown until it ends by itself. Its end zeroizes them.
package struct DisplaySession: ~Copyable {
    /// Whose OTPs they are, as the screen names them.
    package struct Subject: Equatable, Sendable {
        package var name: String
        package var issuer: String?
        /// Until when the pharmacy network may not know the token yet, seconds since 1970.
        package var pendingUntilUnixSeconds: Int64?

        package init(name: String, issuer: String?, pendingUntilUnixSeconds: Int64?) {
            self.name = name
            self.issuer = issuer
            self.pendingUntilUnixSeconds = pendingUntilUnixSeconds
        }
    }

    /// How the OTPs follow each other.
    package enum Sequence: Equatable, Sendable {
        /// TOTP: one a time step, from `first` on without a gap.
        case steps(first: TimeStep)
        /// HOTP: the one OTP of this use.
        case single
    }

    package let subject: Subject
    private let otps: SecureBytes
    private let digits: Int
    private let sequence: Sequence
    private let start: ClockReading
    private let seconds: Int

    /// Moves the OTPs into guarded memory. Let the caller's copy go before the display starts.
    ///
    /// - Parameters:
    ///   - otps: the ASCII digits of each OTP, all of the same length; one for `single`.
    ///   - start: the clocks when the session began.
    ///   - seconds: how long it lasts, in boot time.
    /// - Throws: `KeystoreError`.
    package init(
        of subject: Subject, otps: [String], sequence: Sequence, start: ClockReading, seconds: Int
    ) throws(KeystoreError) {
        let digits = otps.first?.utf8.count ?? 0
        precondition(digits > 0 && otps.allSatisfy { $0.utf8.count == digits }, "whole OTPs")
        var packed = try SecureBytes(count: otps.count * digits)
        packed.write { bytes in
            for (index, otp) in otps.enumerated() {
                for (offset, digit) in otp.utf8.enumerated() {
                    bytes[index * digits + offset] = digit
                }
            }
        }
        self.subject = subject
        self.otps = packed
        self.digits = digits
        self.sequence = sequence
        self.start = start
        self.seconds = seconds
    }

    /// How many OTPs are at hand.
    package var otpCount: Int { otps.count / digits }

    /// How far the wall clock may drift from boot time before the OTPs can't be trusted: a step of
    /// the clock makes each of them a wrong one (DESIGN §8).
    package static let toleranceNanoseconds: Int64 = 2_000_000_000

    /// What to show now.
    package borrowing func frame(at now: ClockReading) -> DisplayFrame {
        let elapsed = Int64(bitPattern: now.boot.nanoseconds &- start.boot.nanoseconds)
        let moved = wallNanoseconds(now) &- wallNanoseconds(start) &- elapsed
        guard now.boot.bootID == start.boot.bootID, elapsed >= 0,
            moved.magnitude <= DisplaySession.toleranceNanoseconds.magnitude
        else { return .ended(.clockMoved(seconds: Int(moved / 1_000_000_000))) }
        let secondsGone = Int(elapsed / 1_000_000_000)
        guard secondsGone < seconds else { return .ended(.sessionOver) }
        let end = start.unixSeconds + Int64(seconds)
        switch sequence {
        case .single: return .showing(showing(index: 0, now: now, end: end, rolling: nil))
        case .steps(let first): return rollingFrame(first: first, now: now, end: end)
        }
    }

    private borrowing func rollingFrame(
        first: TimeStep, now: ClockReading, end: Int64
    ) -> DisplayFrame {
        let step = TimeStep(at: now.unixSeconds, seconds: first.seconds)
        guard step.number >= first.number, step.number - first.number < UInt64(otpCount) else {
            return .ended(.noneLeft)
        }
        let index = Int(step.number - first.number)
        let left = Int(step.endUnixSeconds - now.unixSeconds)
        let isNextNear = left < DisplayFrame.announcementSeconds
        let isNextShown = isNextNear && index + 1 < otpCount && step.endUnixSeconds < end
        let rolling = DisplayFrame.Rolling(
            secondsLeft: left, stepSeconds: first.seconds,
            rollsOverAtUnixSeconds: step.endUnixSeconds,
            next: isNextShown ? otp(at: index + 1) : nil)
        return .showing(showing(index: index, now: now, end: end, rolling: rolling))
    }

    private borrowing func showing(
        index: Int, now: ClockReading, end: Int64, rolling: DisplayFrame.Rolling?
    ) -> DisplayFrame.Showing {
        let pending = subject.pendingUntilUnixSeconds.flatMap { $0 > now.unixSeconds ? $0 : nil }
        return DisplayFrame.Showing(
            otp: otp(at: index), rolling: rolling, pendingUntilUnixSeconds: pending,
            endsAtUnixSeconds: end)
    }

    private borrowing func otp(at index: Int) -> [UInt8] {
        let range = index * digits..<(index + 1) * digits
        return otps.read { bytes in range.map { bytes[$0] } }
    }

    private borrowing func wallNanoseconds(_ reading: ClockReading) -> Int64 {
        reading.unixSeconds &* 1_000_000_000 &+ reading.unixNanoseconds
    }
}

/// What the display shows at one moment.
package enum DisplayFrame: Equatable, Sendable {
    case showing(Showing)
    case ended(End)

    /// Below so many seconds the next OTP is announced, so that nobody types one that dies on the
    /// way.
    package static let announcementSeconds = 5

    package struct Showing: Equatable, Sendable {
        /// The ASCII digits.
        package var otp: [UInt8]
        /// nil for HOTP.
        package var rolling: Rolling?
        /// nil once it has passed.
        package var pendingUntilUnixSeconds: Int64?
        /// When the session ends, by the wall clock.
        package var endsAtUnixSeconds: Int64

        package init(
            otp: [UInt8], rolling: Rolling?, pendingUntilUnixSeconds: Int64?,
            endsAtUnixSeconds: Int64
        ) {
            self.otp = otp
            self.rolling = rolling
            self.pendingUntilUnixSeconds = pendingUntilUnixSeconds
            self.endsAtUnixSeconds = endsAtUnixSeconds
        }
    }

    package struct Rolling: Equatable, Sendable {
        /// 1 up to the step's length.
        package var secondsLeft: Int
        package var stepSeconds: Int
        package var rollsOverAtUnixSeconds: Int64
        /// The OTP after this one, while it is announced.
        package var next: [UInt8]?

        package init(
            secondsLeft: Int, stepSeconds: Int, rollsOverAtUnixSeconds: Int64, next: [UInt8]?
        ) {
            self.secondsLeft = secondsLeft
            self.stepSeconds = stepSeconds
            self.rollsOverAtUnixSeconds = rollsOverAtUnixSeconds
            self.next = next
        }
    }

    /// Why a session ended by itself.
    package enum End: Equatable, Sendable {
        case sessionOver
        /// The wall clock was set, forward or (negative) back, while the session ran.
        case clockMoved(seconds: Int)
        /// All OTPs that were computed have been shown.
        case noneLeft
    }
}
