// Questions at /dev/tty. Echo is off before a prompt is printed and stays off between prompts; a
// secret goes byte by byte into guarded memory; whatever ends the process, the terminal is put back
// (Sources/CLinux/terminal.c). Bound by DESIGN §4 (last line), §8 and CONTRACT §1 ("Answers").
import Keystore
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
        guard let bytes = try ask(prompt, .line, limit: limit) else { return "" }
        return try text(of: bytes)
    }

    /// Asks for a PIN or a code. Nothing is shown.
    ///
    /// - Returns: what was typed, or nil for an empty line.
    /// - Throws: `AnswerError`.
    func readSecret(
        _ prompt: String, limit: Int = 64
    ) throws(AnswerError) -> SecureBytes? {
        try ask(prompt, .secret, limit: limit)
    }

    /// Asks for a link or a whole mail, pasted, as long as `limit` allows. Shows how much arrived.
    /// It ends with Enter, or with Ctrl-D; line ends inside of a paste belong to the text.
    ///
    /// - Returns: the text, or nil for an empty line.
    /// - Throws: `AnswerError`.
    func readSecretText(
        _ prompt: String, limit: Int
    ) throws(AnswerError) -> SecureBytes? {
        try ask(prompt, .secretText, limit: limit)
    }
}
