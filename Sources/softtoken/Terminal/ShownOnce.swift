// What is shown once and stays nowhere: on the alternate screen, until Enter. Bound by CONTRACT §1
// (`--random-pin`) and DESIGN §8.
import Linux
import ProgramSupport
import SoftTokenCore

extension Terminal {
    /// Shows a text on a screen of its own until Enter; whatever ends it, the text is gone.
    ///
    /// - Parameter name: as an error names it: "the PIN".
    /// - Throws: `AuthenticatorError` for a signal that ends the process, or a terminal that has gone.
    func showOnce(_ name: String, _ text: String) throws(AuthenticatorError) {
        let signals = try running(try SignalQueue())
        defer { device.restore() }
        try drawAlone(text)
        while true {
            switch device.wait(signals) {
            case .signal:
                guard let signal = signals.next() else { continue }
                if let end = AuthenticatorError.ending(signal) { throw end }
                if signal == .suspend { device.stop() }
                try drawAlone(text)
            case .input:
                guard let key = readKey() else { throw .notTyped(name) }
                if key == 10 || key == 13 { return }
            case .closed: throw .notTyped(name)
            case .tick, .timeout: continue
            }
        }
    }

    private func drawAlone(_ text: String) throws(AuthenticatorError) {
        try running(try device.silence(.dropped))
        device.enterAlternateScreen()
        write(rows(of: text).joined(separator: "\n"))
    }

    /// The next key's byte; nil when the terminal has gone. Not for secrets.
    func readKey() -> UInt8? {
        var byte: [UInt8] = [0]
        var span = byte.mutableSpan
        return device.readByte(into: &span, at: 0) ? span[0] : nil
    }
}
