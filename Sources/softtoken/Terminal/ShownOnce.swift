// What is shown once and stays nowhere: on the alternate screen, until Enter. Bound by CONTRACT §1
// (`--random-pin`) and DESIGN §8.
import Linux

extension Terminal {
    /// Shows a text on a screen of its own until Enter; whatever ends it, the text is gone.
    ///
    /// - Throws: `AnswerError` for a signal that ends the process, or a terminal that has gone.
    func showOnce(_ text: String) throws(AnswerError) {
        let signals: SignalQueue
        do throws(SystemError) { signals = try SignalQueue() } catch { throw .failed(error) }
        defer { device.restore() }
        try drawAlone(text)
        while true {
            switch device.wait(signals) {
            case .signal:
                guard let signal = signals.next() else { continue }
                if let end = AnswerError(signal) { throw end }
                if signal == .suspend { device.stop() }
                try drawAlone(text)
            case .input:
                guard let key = readKey() else { throw .missing }
                if key == 10 || key == 13 { return }
            case .closed: throw .missing
            case .tick, .timeout: continue
            }
        }
    }

    private func drawAlone(_ text: String) throws(AnswerError) {
        do throws(SystemError) { try device.silence(.dropped) } catch { throw .failed(error) }
        device.enterAlternateScreen()
        let columns = device.size().columns
        let rows = text.split(separator: "\n", omittingEmptySubsequences: false)
            .flatMap { wrapped(String($0), columns: columns - 1) }
        write(rows.joined(separator: "\n"))
    }

    /// The next key's byte; nil when the terminal has gone. Not for secrets.
    func readKey() -> UInt8? {
        var byte: [UInt8] = [0]
        var span = byte.mutableSpan
        return device.readByte(into: &span, at: 0) ? span[0] : nil
    }
}
