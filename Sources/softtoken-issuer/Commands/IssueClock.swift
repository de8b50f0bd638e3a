// The time of each link of a run: read once with all the clocks, then counted on, because reading
// them opens three files. Nothing below the program reads a clock (STYLE 19).
import Linux
import ProgramSupport

/// The wall clock, counted on from when it was read.
struct IssueClock: Sendable {
    private let startUnixSeconds: Int64
    private let start = ContinuousClock.now

    init() throws(Failure) { startUnixSeconds = try currentSeconds() }

    var unixSeconds: Int64 {
        startUnixSeconds + start.duration(to: .now).components.seconds
    }
}
