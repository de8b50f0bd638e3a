// Questions at /dev/tty. Echo is off before a prompt is printed and stays off between prompts; a
// secret goes byte by byte into guarded memory; whatever ends the process, the terminal is put back
// (Sources/CLinux/terminal.c). Bound by DESIGN §4 (last line), §8 and CONTRACT §1 ("Answers").
import Linux

/// The prescriber's terminal. Drop it before the program exits, so that its end restores it.
///
/// A secret shows nothing while it is typed, not a star a digit: who looks on must not learn how far
/// the typing is. Backspace, Ctrl-U and Ctrl-D work as they do everywhere.
final class Terminal {
    let device: TerminalDevice

    /// Opens /dev/tty.
    ///
    /// - Throws: `SystemError` (`open`) where there is none.
    init() throws(SystemError) { device = try TerminalDevice() }

    /// Writes text as it is; lines end in "\n".
    func write(_ text: String) { device.write(text) }

    /// Asks for an ordinary line: a name, a number, yes. It is echoed.
    ///
    /// - Returns: what was typed, perhaps empty.
    /// - Throws: `AnswerError`.
    func readLine(_ prompt: String, limit: Int) throws(AnswerError) -> String {
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var span = bytes.mutableSpan
        let count = try ask(prompt, .line, into: &span)
        return try text(of: bytes[..<count])
    }

    /// Asks for a PIN or a code. Nothing is shown.
    ///
    /// - Parameter answer: gets what was typed; nothing for an empty line. It has room for one byte
    ///   more than may be typed.
    /// - Throws: `AnswerError`.
    func readSecret(
        _ prompt: String, into answer: inout OutputSpan<UInt8>
    ) throws(AnswerError) {
        try answer.write { (bytes: inout MutableSpan<UInt8>) throws(AnswerError) in
            try ask(prompt, .secret, into: &bytes)
        }
    }

    /// Asks for a link or a whole mail, pasted. Shows how much arrived. It ends with Enter, or with
    /// Ctrl-D; line ends inside of a paste belong to the text.
    ///
    /// - Parameter answer: as for `readSecret`.
    /// - Throws: `AnswerError`.
    func readSecretText(
        _ prompt: String, into answer: inout OutputSpan<UInt8>
    ) throws(AnswerError) {
        try answer.write { (bytes: inout MutableSpan<UInt8>) throws(AnswerError) in
            try ask(prompt, .secretText, into: &bytes)
        }
    }
}
