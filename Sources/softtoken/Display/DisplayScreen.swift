import Linux
// The display's lines as bytes for the terminal, in each of its three forms. Pure but for what it
// remembers of the last frame: frame in, text out. Bound by DESIGN §8 and ECMA-48.
import ProgramSupport
import SoftTokenCore

/// Draws frames. What it returns goes to the terminal as it is.
struct DisplayScreen {
    let subject: DisplaySubject
    let style: DisplayStyle
    private var last: DisplayFrame.Showing?
    private var lastText = ""

    init(subject: DisplaySubject, style: DisplayStyle) {
        self.subject = style.glyphs == .ascii ? inASCII(subject) : subject
        self.style = style
    }

    /// What changes on the terminal for this frame; empty if nothing does.
    mutating func draw(_ showing: DisplayFrame.Showing, columns: Int, rows: Int) -> String {
        defer { last = showing }
        switch style.form {
        case .screen: return changed(screen(showing, columns: columns, rows: rows))
        case .line:
            return laidOut(introduction(showing), columns)
                + changed(overwriting(showing, columns: columns))
        case .plain: return laidOut(introduction(showing) + announcement(showing), columns)
        }
    }

    /// Forgets what stands on the terminal: after Ctrl-Z and a change of size all is drawn again.
    mutating func forget() { lastText = "" }

    /// What takes the OTP off the terminal. The alternate screen is the device's to leave; lines of
    /// the plain form stay, because a reader's history is what that form is for.
    mutating func clear() -> String {
        guard style.form == .line else { return "" }
        defer { forget() }
        return "\r" + String(repeating: " ", count: columnWidth(lastText)) + "\r"
    }

    private mutating func changed(_ text: String) -> String {
        guard text != lastText else { return "" }
        defer { lastText = text }
        guard style.form == .line else { return text }
        // Blanks cover what a longer line before has left.
        let rest = max(0, columnWidth(lastText) - columnWidth(text))
        return "\r" + text + String(repeating: " ", count: rest)
    }

    // MARK: The screen

    private func screen(
        _ showing: DisplayFrame.Showing, columns: Int, rows: Int
    ) -> String {
        let text = DisplayText(
            subject: subject, glyphs: style.glyphs, columns: columns, rows: rows)
        let lines = text.lines(showing).map { line in dressed(line) + "\u{1B}[K" }
        return "\u{1B}[H" + lines.joined(separator: "\r\n") + "\u{1B}[J"
    }

    /// Bold is no colour and stays with NO_COLOR; colour only repeats what the words say.
    private func dressed(_ line: DisplayLine) -> String {
        let code: String
        switch line.look {
        case .ordinary, .blank: return line.text
        case .title: code = "1"
        case .otp: code = style.colour == .some ? "1;36" : "1"
        case .warning: code = style.colour == .some ? "1;33" : "1"
        case .bar(let urgency):
            guard style.colour == .some else { return line.text }
            switch urgency {
            case .calm: code = "32"
            case .soon: code = "33"
            case .now: code = "31"
            }
        }
        return "\u{1B}[\(code)m\(line.text)\u{1B}[0m"
    }

    // MARK: Without escape sequences

    private func laidOut(_ lines: [String], _ columns: Int) -> String {
        lines.flatMap { wrapped($0, columns: columns - 1) }.map { $0 + "\n" }.joined()
    }

    /// Said once, before the first OTP.
    private func introduction(_ showing: DisplayFrame.Showing) -> [String] {
        guard last == nil else { return [] }
        var lines = [subject.name + (subject.issuer.map { ", \($0)" } ?? "")]
        if let pending = showing.pendingUntilUnixSeconds {
            let time = clockText(pending, now: showing.endsAtUnixSeconds)
            lines.append("Pending: may not be accepted until \(time)")
        }
        lines += subject.morning.lines(now: showing.nowUnixSeconds).map(\.text)
        let end = LocalTime(atUnixSeconds: showing.endsAtUnixSeconds).withSeconds
        return lines + ["Ends at \(end); q or Ctrl-C ends it now"]
    }

    /// One line, narrower than the window: it must not wrap, or it can't be overwritten.
    private func overwriting(_ showing: DisplayFrame.Showing, columns: Int) -> String {
        let otp = grouped(showing.otp.digits)
        guard let rolling = showing.rolling else { return otp }
        let now = "\(otp)  \(rolling.secondsLeft) s"
        guard let next = rolling.next else { return now }
        let both = "\(now)  next \(grouped(next))"
        // Where only one fits it is the next, which holds longer.
        return both.count < columns ? both : "\(rolling.secondsLeft) s: \(grouped(next))"
    }

    /// A line when the OTP changes, and one when the next is near.
    private func announcement(_ showing: DisplayFrame.Showing) -> [String] {
        var lines: [String] = []
        if showing.otp != last?.otp {
            let end = showing.rolling.map {
                "; rolls over at \(LocalTime(atUnixSeconds: $0.rollsOverAtUnixSeconds).withSeconds)"
            }
            lines.append("OTP \(spoken(showing.otp.digits))" + (end ?? ""))
        }
        if let rolling = showing.rolling, let next = rolling.next, last?.rolling?.next != next {
            lines.append("\(rolling.secondsLeft) seconds left, next OTP \(spoken(next))")
        }
        if last?.pendingUntilUnixSeconds != nil, showing.pendingUntilUnixSeconds == nil {
            lines.append("No longer pending")
        }
        return lines
    }
}

/// A terminal that isn't UTF-8 shows other characters' bytes as something else, or obeys them.
private func inASCII(_ subject: DisplaySubject) -> DisplaySubject {
    var subject = subject
    subject.name = inASCII(subject.name)
    subject.issuer = subject.issuer.map(inASCII)
    return subject
}

private func inASCII(_ text: String) -> String {
    String(text.map { $0.isASCII ? $0 : "?" })
}
