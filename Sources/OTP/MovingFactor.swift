// What moves: the counter of RFC 4226, the time step of RFC 6238. No secrets here.

/// A token's type with what moves it.
package enum MovingFactor: Equatable, Sendable {
    /// RFC 6238: X, the time step in seconds; T0 is 0.
    case time(stepSeconds: Int)
    /// RFC 4226: C, the next counter to be used.
    case counter(UInt64)
}

/// The time steps of RFC 6238 §4.2 with T0 = 0.
package struct TimeStep: Equatable, Sendable {
    /// T, the number of the step.
    package let number: UInt64
    package let seconds: Int

    /// The step that holds a moment. Moments before 1970 are in step 0.
    package init(at unixSeconds: Int64, seconds: Int) {
        precondition(seconds > 0, "a time step lasts at least a second")
        self.init(number: UInt64(max(0, unixSeconds)) / UInt64(seconds), seconds: seconds)
    }

    package init(number: UInt64, seconds: Int) {
        self.number = number
        self.seconds = seconds
    }

    /// When the step begins, seconds since 1970.
    package var startUnixSeconds: Int64 { Int64(number) * Int64(seconds) }
    /// When the OTP rolls over: the first second that is no longer in the step.
    package var endUnixSeconds: Int64 { startUnixSeconds + Int64(seconds) }
}
