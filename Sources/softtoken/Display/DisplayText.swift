import Linux
// What stands on the display, line by line, wrapped to the window. Pure: a frame and a size in,
// lines out. Bound by DESIGN §8.
import ProgramSupport
import SoftTokenCore

struct DisplaySubject: Equatable, Sendable {
    var name: String
    var issuer: String?
    var morning = MorningFacts()
}

struct DisplayLine: Equatable {
    enum Look: Equatable {
        case ordinary, title, otp, warning, blank
        case bar(Urgency)
    }
    enum Urgency: Equatable { case calm, soon, now }

    var text: String
    var look: Look
}

struct DisplayText {
    /// Below so many rows the digits are small, so that what else is to be known has room.
    static let bigDigitRows = 10

    let subject: DisplaySubject
    let glyphs: DisplayStyle.Glyphs
    let columns: Int
    let rows: Int

    /// Lines that say one thing, and are left out together.
    private struct Paragraph {
        var lines: [DisplayLine]
        /// 0 is kept in the smallest window; the highest goes first.
        var rank: Int
    }

    /// The last column stays empty: some terminals wrap, others erase, what is written there.
    private var width: Int { max(1, columns - 1 - margin.count) }
    private var margin: String { columns < 40 ? "" : "  " }

    /// At most `rows` lines, each at most `columns - 1` wide.
    func lines(_ showing: DisplayFrame.Showing) -> [DisplayLine] {
        var paragraphs = heading + [blank] + digits(showing.otp.digits) + [blank]
        if let rolling = showing.rolling {
            paragraphs += self.rolling(rolling)
        } else {
            paragraphs.append(
                wrapped("For one use; softtoken show gives the next", .ordinary, rank: 5))
        }
        paragraphs.append(blank)
        if let pending = showing.pendingUntilUnixSeconds {
            let time = clockText(pending, now: showing.endsAtUnixSeconds)
            paragraphs.append(
                wrapped("Pending: may not be accepted until \(time)", .warning, rank: 2))
        }
        paragraphs += morning(now: showing.nowUnixSeconds)
        let end = LocalTime(atUnixSeconds: showing.endsAtUnixSeconds).withSeconds
        paragraphs.append(wrapped("Ends at \(end)", .ordinary, rank: 4))
        paragraphs.append(wrapped("q or Ctrl-C ends it now", .ordinary, rank: 3))
        return fitted(paragraphs)
    }

    private var heading: [Paragraph] {
        let name = wrapped(subject.name, .title, rank: 3)
        return [name] + (subject.issuer.map { [wrapped($0, .ordinary, rank: 5)] } ?? [])
    }

    /// Large where there is room, and then small as well: for a braille line, and to copy.
    private func digits(_ otp: String) -> [Paragraph] {
        let small = grouped(otp)
        guard rows >= DisplayText.bigDigitRows,
            let big = BigDigits(digitCount: otp.count, columns: width, glyphs: glyphs)
        else { return [Paragraph(lines: [line(small, .otp)], rank: 0)] }
        return [
            Paragraph(lines: big.rows(otp).map { line($0, .otp) }, rank: 0), blank,
            Paragraph(lines: [line(small, .ordinary)], rank: 8),
        ]
    }

    private func morning(now: Int64) -> [Paragraph] {
        let lines = subject.morning.lines(now: now).map { line in
            switch line.subject {
            case .end: wrapped(line.text, .warning, rank: 2)
            case .clock: wrapped(line.text, .ordinary, rank: 6)
            case .lastUse: wrapped(line.text, .ordinary, rank: 7)
            }
        }
        return lines.isEmpty ? [] : lines + [blank]
    }

    private func rolling(_ rolling: DisplayFrame.Rolling) -> [Paragraph] {
        let urgency: DisplayLine.Urgency =
            rolling.secondsLeft < DisplayFrame.announcementSeconds
            ? .now : rolling.secondsLeft <= 10 ? .soon : .calm
        let time = LocalTime(atUnixSeconds: rolling.rollsOverAtUnixSeconds).withSeconds
        var paragraphs = [
            Paragraph(lines: [line(bar(rolling), .bar(urgency))], rank: 1),
            wrapped("Rolls over at \(time)", .ordinary, rank: 4),
        ]
        if let next = rolling.next {
            paragraphs.append(
                Paragraph(lines: [line("Next: \(grouped(next))", .warning)], rank: 1))
        }
        return paragraphs
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

    private var blank: Paragraph {
        Paragraph(lines: [DisplayLine(text: "", look: .blank)], rank: 9)
    }

    private func line(_ text: String, _ look: DisplayLine.Look) -> DisplayLine {
        DisplayLine(text: margin + text, look: look)
    }

    /// The text at its spaces in as many lines as it takes; only a word that is wider than the
    /// window is cut.
    private func wrapped(_ text: String, _ look: DisplayLine.Look, rank: Int) -> Paragraph {
        let ellipsis = glyphs == .ascii ? "..." : "…"
        let lines = softtoken.wrapped(text, columns: width).map {
            line(cut($0, toColumns: width, ellipsis: ellipsis), look)
        }
        return Paragraph(lines: lines, rank: rank)
    }

    /// Leaves out the least important paragraphs until the rest fits.
    private func fitted(_ paragraphs: [Paragraph]) -> [DisplayLine] {
        var kept = paragraphs
        while kept.reduce(0, { $0 + $1.lines.count }) > max(1, rows), kept.count > 1,
            let worst = kept.map(\.rank).max(),
            let index = kept.lastIndex(where: { $0.rank == worst })
        {
            kept.remove(at: index)
        }
        return kept.flatMap(\.lines)
    }
}

extension DisplayFrame.Showing {
    /// What the device's clock shows; for HOTP, which hangs on no clock, the session's end.
    var nowUnixSeconds: Int64 {
        rolling.map { $0.rollsOverAtUnixSeconds - Int64($0.secondsLeft) } ?? endsAtUnixSeconds
    }
}

/// An OTP in two groups: 3 + 3, 3 + 4, 4 + 4.
func grouped(_ digits: String) -> String { groups(digits).joined(separator: " ") }

/// An OTP digit by digit, as a screen reader says it: "2 5 5, 5 2 1", not "two hundred …".
func spoken(_ digits: String) -> String {
    groups(digits).map { $0.map(String.init).joined(separator: " ") }.joined(separator: ", ")
}

private func groups(_ digits: String) -> [Substring] {
    let half = digits.utf8.count / 2
    return [digits.prefix(half), digits.dropFirst(half)]
}
