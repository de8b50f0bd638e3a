// One moment of a display, as a value. Bound by DESIGN §8.

/// What the display shows at one moment.
public enum DisplayFrame: Equatable, Sendable {
    case showing(Showing)
    case ended(End)

    /// Below so many seconds the next OTP is announced, so that nobody types one that dies on the
    /// way.
    public static let announcementSeconds = 5

    public struct Showing: Equatable, Sendable {
        /// What to read off the screen.
        public var otp: OneTimePassword
        /// How it rolls over; nil for HOTP.
        public var rolling: Rolling?
        /// Until when the token may not be accepted, Unix seconds; nil once that has passed.
        public var pendingUntilUnixSeconds: Int64?
        /// When the session ends, by the wall clock, Unix seconds.
        public var endsAtUnixSeconds: Int64

        /// Makes a frame: what a test of an app's drawing needs.
        public init(
            otp: OneTimePassword, rolling: Rolling?, pendingUntilUnixSeconds: Int64?,
            endsAtUnixSeconds: Int64
        ) {
            self.otp = otp
            self.rolling = rolling
            self.pendingUntilUnixSeconds = pendingUntilUnixSeconds
            self.endsAtUnixSeconds = endsAtUnixSeconds
        }
    }

    public struct Rolling: Equatable, Sendable {
        /// 1 up to the step's length.
        public let secondsLeft: Int
        /// How long a step lasts.
        public let stepSeconds: Int
        public let rollsOverAtUnixSeconds: Int64
        /// The digits of the OTP after this one, while it is announced.
        public let next: String?

        public init(
            secondsLeft: Int, stepSeconds: Int, rollsOverAtUnixSeconds: Int64, next: String?
        ) {
            self.secondsLeft = secondsLeft
            self.stepSeconds = stepSeconds
            self.rollsOverAtUnixSeconds = rollsOverAtUnixSeconds
            self.next = next
        }
    }

    /// Why a session ended by itself.
    public enum End: Equatable, Sendable {
        case sessionOver
        /// The wall clock was set, forward or (negative) back, while the session ran.
        case clockMoved(seconds: Int)
        /// All OTPs that were computed have been shown.
        case noneLeft
    }
}
