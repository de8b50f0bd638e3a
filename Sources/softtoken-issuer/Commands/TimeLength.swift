// A length of time on the command line. Bound by CONTRACT §6.
import ArgumentParser

/// Seconds, or a number with s, m, h or d behind it: `600`, `10m`, `7d`.
struct TimeLength: ExpressibleByArgument, Equatable, Sendable {
    let seconds: Int64

    init(seconds: Int64) { self.seconds = seconds }

    /// - Returns: nil for anything else, and for more seconds than a number holds.
    init?(argument: String) {
        let units: [(letter: String, seconds: Int64)] = [
            ("s", 1), ("m", 60), ("h", 3600), ("d", 86_400),
        ]
        let unit = units.first { argument.hasSuffix($0.letter) }
        let digits = argument.dropLast(unit == nil ? 0 : 1)
        // A sign is read, so that a negative length is told by the limits that it breaks.
        guard !digits.hasPrefix("+"), let number = Int64(digits) else { return nil }
        let (seconds, overflows) = number.multipliedReportingOverflow(by: unit?.seconds ?? 1)
        guard !overflows else { return nil }
        self.seconds = seconds
    }

    var defaultValueDescription: String {
        seconds % 86_400 == 0 && seconds > 0 ? "\(seconds / 86_400)d" : "\(seconds)"
    }
}
