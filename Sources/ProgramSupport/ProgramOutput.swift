// Where a program's words go: what a script wants to standard output, everything else to standard
// error, by write(2), so that no stdio buffer keeps an OTP. Bound by CONTRACT §1 ("Output").
public import Linux
public import SoftTokenCore

/// Standard output and standard error of a program.
public struct ProgramOutput: Sendable {
    /// As its errors begin.
    public let program: String
    /// A line in so many columns of a terminal, the lines after the first with so many spaces before.
    let layout: @Sendable (_ line: String, _ columns: Int, _ hanging: Int) -> [String]

    /// - Parameter layout: breaks what people read where that is a terminal; off one each message has
    ///   one line.
    public init(
        program: String, layout: @escaping @Sendable (String, Int, Int) -> [String]
    ) {
        self.program = program
        self.layout = layout
    }

    /// A line for scripts.
    ///
    /// - Throws: `AuthenticatorError` (74) when it can't be written: a full disk, a closed pipe.
    public func line(_ text: String) throws(AuthenticatorError) { try lines([text]) }

    /// Lines that belong together, in one piece.
    public func lines(_ lines: [String]) throws(AuthenticatorError) {
        var text = ""
        for line in lines { text += line + "\n" }
        let whole = text
        try running(try write(whole, to: 1))
    }

    /// Lines that people read: whole words at a terminal, lines as they are elsewhere.
    ///
    /// - Parameter hanging: how many spaces stand before what is broken off, where the window has room.
    public func words(_ lines: [String], hanging: Int = 0) throws(AuthenticatorError) {
        guard let columns = terminalColumns(1) else { return try self.lines(lines) }
        let indent = columns < 40 ? min(hanging, 2) : hanging
        try self.lines(lines.flatMap { layout($0, columns - 1, indent) })
    }

    public func json(_ value: JSON) throws(AuthenticatorError) { try line(value.text) }

    /// A line for people; that it can't be written changes nothing.
    public func note(_ text: String) { prompt(laidOut(text) + "\n") }

    /// A text as it stands on standard error.
    public func laidOut(_ text: String) -> String {
        guard let columns = terminalColumns(2) else { return text }
        return text.split(separator: "\n", omittingEmptySubsequences: false)
            .flatMap { layout(String($0), columns - 1, 0) }.joined(separator: "\n")
    }

    /// The parser's text, whose lines may be wider than the window; its usage always may.
    ///
    /// - Parameter text: its text in so many columns.
    public func help(_ text: (Int?) -> String) throws(AuthenticatorError) {
        guard let columns = terminalColumns(1) else { return try line(text(nil)) }
        // In a narrower window its two columns have no room.
        let lines = text(columns < 60 ? 80 : min(columns, 80)).split(
            separator: "\n", omittingEmptySubsequences: false
        ).map(String.init)
        try self.lines(
            lines.flatMap { columnWidth($0) <= columns ? [$0] : narrowed($0, columns: columns - 1) }
        )
    }

    /// An option's line in a narrow window: its explanation needs no column of its own.
    private func narrowed(_ line: String, columns: Int) -> [String] {
        let words = line.split(separator: " ").joined(separator: " ")
        let indent = line.prefix { $0 == " " }.count
        let margin = String(repeating: " ", count: min(indent, 4))
        // The usage and the options hang; prose doesn't.
        let hanging = indent > 0 || line.hasPrefix("USAGE:") ? 4 : 0
        return layout(margin + words, columns, hanging)
    }

    /// What is asked, or how far a run is: no line of its own.
    public func prompt(_ text: String) { try? write(text, to: 2) }

    public func warning(_ text: String) { note("\(program): warning: \(printable(text))") }
    public func hint(_ text: String) { note("\(program): hint: \(printable(text))") }

    /// Says what ended a command.
    ///
    /// - Parameter command: what this program has for it, told behind the hint.
    public func report(_ error: AuthenticatorError, remedy command: String? = nil) {
        if let message = error.message { note("\(program): error: \(printable(message))") }
        let parts = [error.hint, command].compactMap(\.self)
        guard let first = parts.first else { return }
        hint(parts.joined(separator: first.hasSuffix("?") ? " " : ": "))
    }

    private func write(_ text: String, to number: Int32) throws(SystemError) {
        let name = number == 1 ? "standard output" : "standard error"
        // A copy: the standard descriptor is not ours to close.
        try Descriptor(duplicating: number, path: name).write(Array(text.utf8).span)
    }
}

/// An argument or a path comes back in a message: it must not steer the terminal.
private func printable(_ text: String) -> String {
    var printable = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: printable.append("\u{FFFD}")
        default: printable.append(scalar)
        }
    }
    return String(printable)
}

extension AuthenticatorError {
    /// What the system answered.
    public static func system(_ error: SystemError) -> AuthenticatorError {
        AuthenticatorError(error)
    }
}

/// Asks the system, in the one error. An autoclosure knows what its expression throws, a closure has to
/// be told.
public func running<R: ~Copyable>(
    _ step: @autoclosure () throws(SystemError) -> R
) throws(AuthenticatorError) -> R {
    do throws(SystemError) { return try step() } catch { throw .system(error) }
}

public func running<R: ~Copyable>(
    _ body: () throws(SystemError) -> R
) throws(AuthenticatorError) -> R {
    do throws(SystemError) { return try body() } catch { throw .system(error) }
}
