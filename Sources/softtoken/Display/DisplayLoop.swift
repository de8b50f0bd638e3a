// The rolling display: one thread, one wait, one wake-up a second. However it ends, the OTP leaves
// the screen first. Bound by DESIGN §1.4, §8; CONTRACT §2 for the exit codes.
import Linux
import ProgramSupport
import SoftTokenCore

/// Shows one use's OTPs at a terminal until it ends, and says why it ended by itself. The seed is gone
/// when this begins; the OTPs are zeroized when the caller lets the session go.
///
/// - Throws: `AuthenticatorError` if the terminal or the clock can't be used; `ended(by:)` for another
///   signal than Ctrl-C, and where the terminal has gone.
func roll(
    _ session: borrowing DisplaySession, _ style: DisplayStyle, _ terminal: Terminal
) throws(AuthenticatorError) {
    switch try shown(session, style, terminal) {
    case .clockMoved?: output.note(clockMovedWords)
    case .sessionOver?, .noneLeft?:
        output.note("The display has ended. For another one-time password: softtoken show")
    case nil: return
    }
}

/// Why a use ended before its time.
let clockMovedWords =
    "softtoken: the clock was set while the password was shown; run softtoken show again"

/// - Returns: nil where the person ended it.
private func shown(
    _ session: borrowing DisplaySession, _ style: DisplayStyle, _ terminal: Terminal
) throws(AuthenticatorError) -> DisplayFrame.End? {
    let signals = try running(try SignalQueue())
    let timer = try running(try SecondTimer())
    let subject = DisplaySubject(
        name: session.token.name, issuer: session.token.issuer, morning: session.morning)
    var screen = DisplayScreen(subject: subject, style: style)
    try screen.open(terminal)
    defer { screen.close(terminal) }
    while true {
        switch try session.frame() {
        case .ended(let end): return end
        case .showing(let showing): screen.show(showing, on: terminal)
        }
        if try isEnded(terminal, signals, timer, &screen) { return nil }
    }
}

/// Waits until there is something to draw, or the person ends it: with q, Ctrl-C or Ctrl-D.
private func isEnded(
    _ terminal: Terminal, _ signals: borrowing SignalQueue, _ timer: borrowing SecondTimer,
    _ screen: inout DisplayScreen
) throws(AuthenticatorError) -> Bool {
    while true {
        switch terminal.device.wait(signals, timer) {
        case .input:
            guard let key = terminal.readKey() else { throw .ended(by: .hangUp) }
            if key == UInt8(ascii: "q") || key == UInt8(ascii: "Q") || key == 4 { return true }
        case .signal:
            guard let signal = signals.next() else { continue }
            return try isEnded(by: signal, terminal, &screen)
        case .tick:
            timer.acknowledge()
            return false
        case .closed: throw .ended(by: .hangUp)
        case .timeout: return false
        }
    }
}

private func isEnded(
    by signal: Signal, _ terminal: Terminal, _ screen: inout DisplayScreen
) throws(AuthenticatorError) -> Bool {
    switch signal {
    case .interrupt: return true
    case .terminate, .hangUp, .quit: throw .ended(by: signal)
    case .suspend:
        screen.close(terminal)
        terminal.device.stop()
        try screen.open(terminal)
    // Another process stopped this one: the terminal shows what others wrote meanwhile.
    case .resume: try screen.open(terminal)
    case .resize: screen.forget()
    }
    return false
}

extension DisplayScreen {
    /// Takes the terminal.
    fileprivate mutating func open(_ terminal: Terminal) throws(AuthenticatorError) {
        forget()
        try running(try terminal.device.silence())
        if style.form == .screen { terminal.device.enterAlternateScreen() }
    }

    fileprivate mutating func show(_ showing: DisplayFrame.Showing, on terminal: Terminal) {
        let size = terminal.device.size()
        let text = draw(showing, columns: size.columns, rows: size.rows)
        if !text.isEmpty { terminal.write(text) }
    }

    /// Gives the terminal back, without an OTP on it.
    fileprivate mutating func close(_ terminal: Terminal) {
        let text = clear()
        if !text.isEmpty { terminal.write(text) }
        terminal.device.restore()
    }
}
