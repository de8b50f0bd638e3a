// What the argument parser finds wrong, in this program's form: lower case, one line, no full stop;
// and what was probably meant. Bound by CONTRACT §1 ("Output"), §2 (64) and STYLE 16. As in softtoken,
// whose file of this name can't be shared: the modules below both programs don't know the parser.
import ArgumentParser
import Linux

extension Failure {
    /// The failure of arguments that can't be parsed.
    ///
    /// - Parameters:
    ///   - message: the parser's, which may have several lines and end in a question.
    ///   - arguments: those of the process; a link is not among them any more.
    static func usage(parserMessage message: String, _ arguments: [String]) -> Failure {
        let command = CommandPath(arguments)
        let help = "see \(command.words) --help"
        if let unknown = command.unknown {
            let meant = nearest(to: unknown, among: command.known).map {
                "did you mean \(command.words) \($0)? "
            }
            return Failure(
                .usage, "there is no command \(unknown)", hint: (meant ?? "") + help)
        }
        let line = message.split(separator: "\n").first.map(String.init) ?? "wrong arguments"
        let text = withoutCapital(line.hasSuffix(".") ? line.dropLast() : line[...])
        // "Unknown option '--onec'. Did you mean '--once'?"
        guard let end = text.rangeOfBytes(". ") else {
            return Failure(.usage, text, hint: help)
        }
        let advice = withoutCapital(text[end.upperBound...])
        return Failure(
            .usage, String(text[..<end.lowerBound]),
            hint: advice + (advice.hasSuffix("?") ? " " : "; ") + help)
    }
}

private func withoutCapital(_ sentence: Substring) -> String {
    sentence.prefix(1).lowercased() + sentence.dropFirst()
}

/// How far the arguments name a command.
private struct CommandPath {
    /// "softtoken-issuer issue"
    private(set) var words = "softtoken-issuer"
    /// The commands that could stand next.
    private(set) var known: [String] = []
    /// What stands there instead.
    private(set) var unknown: String?

    init(_ arguments: [String]) {
        var commands = SoftTokenIssuer.configuration.subcommands
        // What follows an option may be its value.
        for argument in arguments.prefix(while: { !$0.hasPrefix("-") }) {
            guard !commands.isEmpty else { break }
            known = commands.map { $0._commandName }
            guard
                let next = commands.first(where: { $0._commandName == argument })
            else {
                unknown = argument
                break
            }
            words += " " + argument
            commands = next.configuration.subcommands
        }
    }
}
