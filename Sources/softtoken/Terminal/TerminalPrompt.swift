// One question from its prompt to its answer: the loop of keys and signals under Terminal's
// functions. Bound by DESIGN §4, §8: Ctrl-C ends; Ctrl-Z stops and asks again, but not where a secret
// is typed; the end of the input ends the command instead of asking for ever.
import Linux
import ProgramSupport
import SoftTokenCore

extension Terminal {
    /// How long nothing must come before a line end counts as Enter: terminals that don't mark a
    /// paste deliver it at once.
    private static let pasteGapMilliseconds: Int32 = 100

    /// - Parameter typed: what is typed lies in it from the first byte on; its last byte stays free.
    /// - Returns: how many bytes were typed; nil for too many.
    func ask(
        _ question: String, _ prompt: String, _ kind: TerminalEditor.Kind,
        into typed: inout MutableSpan<UInt8>
    ) throws(AuthenticatorError) -> Int? {
        let limit = typed.count - 1
        var editor = TerminalEditor(kind, limit: limit)
        // Before the prompt: who sees it may press Ctrl-C.
        let signals = try running(try SignalQueue())
        try begin(prompt, kind)
        defer {
            device.endBracketedPaste()
            write("\n")
        }
        while true {
            switch wait(signals, editor, prompt) {
            case .signal:
                guard try isAskedAgain(after: signals.next(), kind) else { continue }
                // What was typed before is forgotten.
                for index in typed.indices { typed[index] = 0 }
                editor = TerminalEditor(kind, limit: limit)
                try begin(prompt, kind)
            case .input:
                guard let isComplete = isComplete(&typed, &editor, signals) else {
                    throw .notTyped(question)
                }
                guard isComplete else { continue }
                return editor.isTooLong ? nil : editor.count
            case .closed: throw .notTyped(question)
            case .tick, .timeout: continue
            }
        }
    }

    /// Echo goes off first: an answer typed the moment the prompt appears must not be shown. A PIN or
    /// a code is never taken from what was typed before it was asked for: behind a wrong one that
    /// would be an attempt that nobody meant.
    private func begin(
        _ prompt: String, _ kind: TerminalEditor.Kind
    ) throws(AuthenticatorError) {
        try running(try device.silence(kind == .secret ? .dropped : .kept))
        if kind == .secretText { device.requestBracketedPaste() }
        write(rows(of: prompt).joined(separator: "\n"))
    }

    /// The prompt as it stands on the screen; the answer follows its last row.
    func rows(of prompt: String) -> [String] {
        let columns = device.size().columns
        return prompt.split(separator: "\n", omittingEmptySubsequences: false)
            .flatMap { wrapped(String($0), columns: columns - 1) }
    }

    /// Waits for the next event; when a paste pauses, says how much has arrived.
    private func wait(
        _ signals: borrowing SignalQueue, _ editor: TerminalEditor, _ prompt: String
    ) -> TerminalEvent {
        guard editor.kind == .secretText, editor.count > 0 else { return device.wait(signals) }
        let event = device.wait(signals, milliseconds: Terminal.pasteGapMilliseconds)
        guard event == .timeout else { return event }
        write("\r" + progress(editor.count, behind: rows(of: prompt).last ?? ""))
        return device.wait(signals)
    }

    /// How much has arrived, behind the prompt's last row or, where there is no room, in its place.
    private func progress(_ count: Int, behind row: String) -> String {
        let both = "\(row)[\(count) bytes] "
        guard columnWidth(both) >= device.size().columns else { return both }
        let arrived = "[\(count) bytes] "
        return arrived
            + String(repeating: " ", count: max(0, columnWidth(row) - columnWidth(arrived)))
    }

    /// Answers a signal; true when the question has to be asked again.
    private func isAskedAgain(
        after signal: Signal?, _ kind: TerminalEditor.Kind
    ) throws(AuthenticatorError) -> Bool {
        guard let signal else { return false }
        if let end = AuthenticatorError.ending(signal) { throw end }
        switch signal {
        // The rest of a PIN, or of a mail that is pasted, would be typed into the shell.
        case .suspend where kind != .line: return false
        case .suspend:
            write("\n")
            device.stop()
            return true
        // Stopped by another than us (kill -STOP): the shell has set modes of its own.
        case .resume:
            write("\r")
            return true
        default: return false
        }
    }

    /// How many bytes of a paste are taken before signals are looked for again.
    private static let batchByteCount = 4096

    /// Takes the bytes that are there, one where each is shown; true when the answer is complete, nil
    /// when the input ended without one.
    private func isComplete(
        _ typed: inout MutableSpan<UInt8>, _ editor: inout TerminalEditor,
        _ signals: borrowing SignalQueue
    ) -> Bool? {
        var left = editor.kind == .secretText ? Terminal.batchByteCount : 1
        var step: TerminalEditor.Step?
        repeat {
            left -= 1
            let isRead = device.readByte(into: &typed, at: editor.count)
            step = isRead ? editor.take(&typed) : nil
        } while left > 0 && (step == .added || step == .nothing)
            && device.wait(signals, milliseconds: 0) == .input
        guard let step else { return nil }
        switch step {
        case .nothing: return false
        case .added: if editor.kind == .line { echoLast(of: typed, count: editor.count) }
        case .erased(let columns):
            guard editor.kind == .line else { return false }
            for _ in 0..<columns { write("\u{8} \u{8}") }
        case .endOfInput: return nil
        case .lineEnd: return !isPasteGoingOn(&typed, &editor, signals)
        }
        return false
    }

    /// Echoes the byte just added; a character of several bytes appears with its last.
    private func echoLast(of typed: borrowing MutableSpan<UInt8>, count: Int) {
        try? device.descriptor.write(typed.span.extracting((count - 1)..<count))
    }

    /// Whether more follows a line end at once, which then belongs to the pasted text.
    private func isPasteGoingOn(
        _ typed: inout MutableSpan<UInt8>, _ editor: inout TerminalEditor,
        _ signals: borrowing SignalQueue
    ) -> Bool {
        guard editor.kind == .secretText, editor.count > 0,
            device.wait(signals, milliseconds: Terminal.pasteGapMilliseconds) == .input
        else { return false }
        editor.addLineEnd(&typed)
        return true
    }
}
