// What to do next: a whole command that works as it stands, for people at a terminal; a script isn't
// told. Bound by CONTRACT §1 ("Output"), §6.
import Linux
import ProgramSupport

/// Says what to do next.
///
/// - Parameters:
///   - what: which step it is.
///   - arguments: those of this program, called as it was called now.
func sayNext(_ what: String, _ arguments: [String?]) {
    guard isTerminal(1) else { return }
    let command = [CommandLine.arguments.first ?? output.program] + arguments.compactMap(\.self)
    output.note("\n\(what):")
    output.prompt(
        shellCommand(command, columns: terminalColumns(2)).map { $0 + "\n" }.joined())
}

/// The option that opens encrypted records, if the command at hand had it.
func recordsKeyOption(_ number: Int32?) -> [String] {
    number.map { ["--records-key-fd", String($0)] } ?? []
}
