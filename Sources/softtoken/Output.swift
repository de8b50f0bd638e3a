// Where words go: what a script wants to standard output, everything else to standard error, by
// write(2), so that no stdio buffer keeps an OTP. Bound by CONTRACT §1 ("Output").
import Activation
import Linux

/// Standard output and standard error.
enum Output {
    /// A line for scripts.
    ///
    /// - Throws: `Failure.system` when it can't be written: a full disk, a closed pipe.
    static func line(_ text: String) throws(Failure) {
        try running { () throws(SystemError) in try write(text + "\n", to: 1) }
    }

    /// Lines that belong together, in one piece.
    ///
    /// - Throws: `Failure.system`.
    static func lines(_ lines: [String]) throws(Failure) {
        var text = ""
        for line in lines { text += line + "\n" }
        let whole = text
        try running { () throws(SystemError) in try write(whole, to: 1) }
    }

    static func json(_ value: JSONValue) throws(Failure) { try line(value.text) }

    /// A line for people; that it can't be written changes nothing.
    static func note(_ text: String) { try? write(text + "\n", to: 2) }

    static func warning(_ text: String) { note("softtoken: warning: \(text)") }

    static func report(_ message: Message) {
        if let error = message.error { note("softtoken: error: \(printable(error))") }
        if let hint = message.hint { note("softtoken: hint: \(printable(hint))") }
    }

    /// An argument or a path comes back in a message: it must not steer the terminal.
    private static func printable(_ text: String) -> String {
        var printable = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                printable.append("\u{FFFD}")
            default: printable.append(scalar)
            }
        }
        return String(printable)
    }

    private static func write(_ text: String, to number: Int32) throws(SystemError) {
        let name = number == 1 ? "standard output" : "standard error"
        try Descriptor.writeStandard(number, name: name, Array(text.utf8).span)
    }
}
