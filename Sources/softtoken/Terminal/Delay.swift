// A second of waiting at the terminal: what is typed is not shown and not kept, Ctrl-C ends it.
// Bound by CONTRACT §1 ("waits out a delay with its seconds on the screen").
import Linux
import ProgramSupport
import SoftTokenCore

extension Terminal {
    /// Writes a text and waits.
    ///
    /// - Parameter question: what is asked for next, as an error names it: "the PIN".
    /// - Throws: `AuthenticatorError` for a signal that ends the process, or a terminal that has gone.
    func pause(
        _ text: String, before question: String, milliseconds: Int32
    ) throws(AuthenticatorError) {
        try running(try device.silence())
        let signals = try running(try SignalQueue())
        write(text)
        // Input is left where it is: `silence` drops it before the next question.
        let end = monotonicMilliseconds() + Int64(milliseconds)
        while true {
            let left = end - monotonicMilliseconds()
            guard left > 0 else { return }
            switch device.waitForSignal(signals, milliseconds: Int32(left)) {
            case .signal:
                guard let signal = signals.next() else { continue }
                if let end = AuthenticatorError.ending(signal) { throw end }
                if signal == .suspend { device.stop() }
            case .closed: throw .notTyped(question)
            default: return
            }
        }
    }
}
