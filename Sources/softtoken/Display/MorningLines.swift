// The morning's facts in words. Pure. Bound by DESIGN §8.
import Linux
import SoftTokenCore

/// One of them, for the display.
struct MorningLine: Equatable {
    enum Subject: Equatable { case end, clock, lastUse }

    let subject: Subject
    let text: String
}

extension MorningFacts {
    /// What there is to say, the weightiest first.
    ///
    /// - Parameter now: what the device's clock shows, Unix seconds.
    func lines(now: Int64) -> [MorningLine] {
        var lines: [MorningLine] = []
        if let end = endsAtUnixSeconds {
            lines.append(MorningLine(subject: .end, text: MorningFacts.endText(end, now: now)))
        }
        if hasUnkeptClock {
            let time = LocalTime(atUnixSeconds: now).hoursAndMinutes
            lines.append(
                MorningLine(
                    subject: .clock,
                    text: "Clock: \(time). No time service keeps it: compare it with a telephone's")
            )
        }
        if let last = lastUseUnixSeconds {
            lines.append(
                MorningLine(subject: .lastUse, text: "Last used: \(clockText(last, now: now))"))
        }
        return lines
    }

    private static func endText(_ end: Int64, now: Int64) -> String {
        let days = max(0, (end - now) / 86_400)
        let left = days == 0 ? "in less than a day" : days == 1 ? "in 1 day" : "in \(days) days"
        return
            "This token ends \(left), on \(LocalTime(atUnixSeconds: end).date): ask for a new link"
    }
}
