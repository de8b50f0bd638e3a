// What stands on the display, line by line, cut and wrapped to the window. Pure: a frame and a size
// in, lines out. Bound by DESIGN §8.
import Linux
import SoftTokenCore

/// Whose OTPs the display shows.
struct DisplaySubject: Equatable, Sendable {
    var name: String
    var issuer: String?
}

/// A line of the display.
struct DisplayLine: Equatable {
    enum Look: Equatable {
        case ordinary, title, otp, warning, blank
        case bar(Urgency)
    }
    enum Urgency: Equatable { case calm, soon, now }

    var text: String
    var look: Look
    /// 0 is kept in the smallest window; the highest goes first.
    var rank: Int
}

/// Makes the lines for one window.
struct DisplayText {
    let subject: DisplaySubject
    let glyphs: DisplayStyle.Glyphs
    let columns: Int
    let rows: Int

    /// The last column stays empty: some terminals wrap, others erase, what is written there.
    private var width: Int { max(1, columns - 1 - margin.count) }
    private var margin: String { columns < 40 ? "" : "  " }

    /// At most `rows` lines, each at most `columns - 1` wide.
    func lines(_ showing: DisplayFrame.Showing) -> [DisplayLine] {
        var lines = heading + [blank, line(grouped(showing.otp.digits), .otp, rank: 0), blank]
        if let rolling = showing.rolling {
            lines += self.rolling(rolling) + [blank]
        } else {
            lines += wrapped("For one use; softtoken show gives the next", .ordinary, rank: 5)
            lines.append(blank)
        }
        if let pending = showing.pendingUntilUnixSeconds {
            let time = clockText(pending, now: showing.endsAtUnixSeconds)
            lines += wrapped("Pending: may not be accepted until \(time)", .warning, rank: 2)
        }
        let end = LocalTime(atUnixSeconds: showing.endsAtUnixSeconds).withSeconds
        lines += wrapped("Ends at \(end)", .ordinary, rank: 4)
        lines += wrapped("q or Ctrl-C ends it now", .ordinary, rank: 3)
        return fitted(lines)
    }

    private var heading: [DisplayLine] {
        var lines = [line(cut(subject.name), .title, rank: 3)]
        if let issuer = subject.issuer { lines.append(line(cut(issuer), .ordinary, rank: 5)) }
        return lines
    }

    private func rolling(_ rolling: DisplayFrame.Rolling) -> [DisplayLine] {
        let urgency: DisplayLine.Urgency =
            rolling.secondsLeft < DisplayFrame.announcementSeconds
            ? .now : rolling.secondsLeft <= 10 ? .soon : .calm
        let time = LocalTime(atUnixSeconds: rolling.rollsOverAtUnixSeconds).withSeconds
        var lines = [line(bar(rolling), .bar(urgency), rank: 1)]
        lines += wrapped("Rolls over at \(time)", .ordinary, rank: 4)
        if let next = rolling.next {
            lines.append(line("Next: \(grouped(next))", .warning, rank: 1))
        }
        return lines
    }

    private func bar(_ rolling: DisplayFrame.Rolling) -> String {
        let seconds = " \(rolling.secondsLeft) s"
        let edges = glyphs == .ascii ? ("[", "]") : ("", "")
        let room = width - " \(rolling.stepSeconds) s".count - edges.0.count - edges.1.count
        let length = max(1, min(30, room))
        let step = rolling.stepSeconds
        let full = min(length, (rolling.secondsLeft * length + step - 1) / step)
        let (on, off) = glyphs == .ascii ? ("#", "-") : ("█", "░")
        return edges.0 + String(repeating: on, count: full)
            + String(repeating: off, count: length - full) + edges.1 + seconds
    }

    private func cut(_ text: String) -> String {
        softtoken.cut(text, toColumns: width, ellipsis: glyphs == .ascii ? "..." : "…")
    }

    private var blank: DisplayLine { DisplayLine(text: "", look: .blank, rank: 9) }

    private func line(_ text: String, _ look: DisplayLine.Look, rank: Int) -> DisplayLine {
        DisplayLine(text: margin + text, look: look, rank: rank)
    }

    /// The text at its spaces in as many lines as it takes.
    private func wrapped(_ text: String, _ look: DisplayLine.Look, rank: Int) -> [DisplayLine] {
        softtoken.wrapped(text, columns: width).map { line(cut($0), look, rank: rank) }
    }

    /// Leaves out the least important lines until the rest fits.
    private func fitted(_ lines: [DisplayLine]) -> [DisplayLine] {
        var kept = lines
        while kept.count > max(1, rows), let worst = kept.map(\.rank).max(),
            let index = kept.lastIndex(where: { $0.rank == worst })
        {
            kept.remove(at: index)
        }
        return kept
    }
}

/// An OTP in two groups: 3 + 3, 3 + 4, 4 + 4.
func grouped(_ digits: String) -> String {
    digits.prefix(digits.utf8.count / 2) + " " + digits.dropFirst(digits.utf8.count / 2)
}
