// Questions at /dev/tty. Echo is off before a prompt is printed and stays off between prompts; a
// secret goes byte by byte into guarded memory; whatever ends the process, the terminal is put back
// (Sources/CLinux/terminal.c). Bound by DESIGN §4 (last line), §8 and CONTRACT §1 ("Answers").
import Linux
import SoftTokenCore

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
    /// - Parameter question: as an error names it: "the name".
    /// - Returns: what was typed, perhaps empty.
    /// - Throws: `AuthenticatorError`.
    func readLine(
        _ question: String, _ prompt: String, limit: Int
    ) throws(AuthenticatorError) -> String {
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var span = bytes.mutableSpan
        let count = try ask(question, prompt, .line, into: &span)
        return try text(bytes, count, question)
    }

    /// Asks for a PIN or a code, of which nothing is shown; or for a link or a whole mail, pasted, of
    /// which it is shown how much arrived: that ends with Enter, or with Ctrl-D, and line ends inside of
    /// a paste belong to it.
    ///
    /// - Parameters:
    ///   - question: as an error names it: "the PIN".
    ///   - kind: `secret` or `secretText`.
    ///   - answer: gets what was typed; nothing for an empty line, zeroes to the end for one that is too
    ///     long. It has room for one byte more than may be typed.
    /// - Throws: `AuthenticatorError`.
    func readSecret(
        _ question: String, _ prompt: String, _ kind: TerminalEditor.Kind,
        into answer: inout OutputSpan<UInt8>
    ) throws(AuthenticatorError) {
        try answer.write { (bytes: inout MutableSpan<UInt8>) throws(AuthenticatorError) in
            try ask(question, prompt, kind, into: &bytes)
        }
    }
}
