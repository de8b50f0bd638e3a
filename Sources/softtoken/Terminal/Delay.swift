// A second of waiting at the terminal: what is typed is not shown and not kept, Ctrl-C ends it.
// Bound by CONTRACT §1 ("waits out a delay with its seconds on the screen").
import Linux

extension Terminal {
    /// Writes a text and waits.
    ///
    /// - Throws: `AnswerError` for a signal that ends the process, or a terminal that has gone.
    func pause(_ text: String, milliseconds: Int32) throws(AnswerError) {
        let signals: SignalQueue
        do throws(SystemError) {
            try device.silence()
            signals = try SignalQueue()
        } catch { throw .failed(error) }
        write(text)
        // Input is left where it is: `silence` drops it before the next question.
        let end = monotonicMilliseconds() + Int64(milliseconds)
        while true {
            let left = end - monotonicMilliseconds()
            guard left > 0 else { return }
            switch device.waitForSignal(signals, milliseconds: Int32(left)) {
            case .signal:
                guard let signal = signals.next() else { continue }
                if let ended = AnswerError(signal) { throw ended }
                if signal == .suspend { device.stop() }
            case .closed: throw .missing
            default: return
            }
        }
    }
}
