// The rolling display: one thread, one wait, one wake-up a second. However it ends, the OTP leaves
// the screen first. Bound by DESIGN §8; CONTRACT §2 for the exit codes.
import Linux
import ProgramSupport
import SoftTokenCore

/// Why the display ended.
enum DisplayEnd: Equatable, Sendable {
    /// q, Ctrl-C or Ctrl-D.
    case quit
    /// By itself.
    case session(DisplayFrame.End)
    /// Another signal; the exit code is the signal's.
    case signal(Signal)
    /// The terminal has gone.
    case closed

    /// CONTRACT §2: 0 for q, Ctrl-C and the session's end.
    var exitCode: Int32 {
        switch self {
        case .quit, .session: 0
        case .signal(let signal): signal.exitCode
        case .closed: Signal.hangUp.exitCode
        }
    }
}

/// Shows a session at a terminal until it ends.
enum DisplayLoop {
    /// - Parameter session: its OTPs are zeroized when the caller lets it go.
    /// - Throws: `AuthenticatorError` if the terminal or the clock can't be used.
    static func run(
        _ session: borrowing DisplaySession, on terminal: Terminal, style: DisplayStyle
    ) throws(AuthenticatorError) -> DisplayEnd {
        let signals = try running(try SignalQueue())
        let timer = try running(try SecondTimer())
        let subject = DisplaySubject(
            name: session.token.name, issuer: session.token.issuer, morning: session.morning)
        var view = DisplayView(subject: subject, style: style)
        try running(try view.open(terminal))
        defer { view.close(terminal) }
        while true {
            switch try session.frame() {
            case .ended(let end): return .session(end)
            case .showing(let showing): view.show(showing, on: terminal)
            }
            let end = try running(try nextEnd(terminal, signals, timer, &view))
            if let end { return end }
        }
    }

    /// Waits until there is something to draw, or an end.
    private static func nextEnd(
        _ terminal: Terminal, _ signals: borrowing SignalQueue,
        _ timer: borrowing SecondTimer, _ view: inout DisplayView
    ) throws(SystemError) -> DisplayEnd? {
        while true {
            switch terminal.device.wait(signals, timer) {
            case .input:
                guard let key = terminal.readKey() else { return .closed }
                if isQuit(key) { return .quit }
            case .signal:
                guard let signal = signals.next() else { continue }
                return try answer(signal, terminal, &view)
            case .tick:
                timer.acknowledge()
                return nil
            case .closed: return .closed
            case .timeout: return nil
            }
        }
    }

    private static func answer(
        _ signal: Signal, _ terminal: Terminal, _ view: inout DisplayView
    ) throws(SystemError) -> DisplayEnd? {
        switch signal {
        case .interrupt: return .quit
        case .terminate, .hangUp, .quit: return .signal(signal)
        case .suspend:
            view.close(terminal)
            terminal.device.stop()
            try view.open(terminal)
        // Another process stopped this one: the terminal shows what others wrote meanwhile.
        case .resume: try view.open(terminal)
        case .resize: view.redraw()
        }
        return nil
    }

    private static func isQuit(_ key: UInt8) -> Bool {
        key == UInt8(ascii: "q") || key == UInt8(ascii: "Q") || key == 4
    }
}

/// A screen on a terminal: taken, drawn, given back.
private struct DisplayView {
    private var screen: DisplayScreen

    init(subject: DisplaySubject, style: DisplayStyle) {
        screen = DisplayScreen(subject: subject, style: style)
    }

    mutating func open(_ terminal: Terminal) throws(SystemError) {
        screen.forget()
        try terminal.device.silence()
        if screen.style.form == .screen { terminal.device.enterAlternateScreen() }
    }

    mutating func show(_ showing: DisplayFrame.Showing, on terminal: Terminal) {
        let size = terminal.device.size()
        let text = screen.draw(showing, columns: size.columns, rows: size.rows)
        if !text.isEmpty { terminal.write(text) }
    }

    mutating func redraw() { screen.forget() }

    mutating func close(_ terminal: Terminal) {
        let text = screen.clear()
        if !text.isEmpty { terminal.write(text) }
        terminal.device.restore()
    }
}
