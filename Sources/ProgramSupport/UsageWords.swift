// What the argument parser finds wrong, in our form: lower case, one line, no full stop; and what was
// probably meant. Bound by CONTRACT §1 ("Output"), §2 (64) and STYLE 16.
public import ArgumentParser
import Linux
public import SoftTokenCore

/// The error of arguments that can't be parsed.
///
/// - Parameters:
///   - message: the parser's, which may have several lines and end in a question.
///   - arguments: those of the process; a link is not among them any more.
///   - root: the program's command; each command names itself in its configuration.
///   - secretOptions: what people try that can never be an option: "--pin".
///   - misplacedLink: the error where a link, which was taken out of the arguments, stands instead
///     of a command.
public func usageError(
    parserMessage message: String, _ arguments: [String], root: any ParsableCommand.Type,
    secretOptions: [String] = [], misplacedLink: AuthenticatorError? = nil
) -> AuthenticatorError {
    let command = CommandPath(arguments, root: root)
    let help = "see \(command.words) --help"
    if command.unknown == ArgumentVector.placeholder, let misplacedLink { return misplacedLink }
    if let unknown = command.unknown {
        let meant = nearest(to: unknown, among: command.known).map {
            "did you mean \(command.words) \($0)? "
        }
        return AuthenticatorError(
            .usage, "there is no command \(unknown)", hint: (meant ?? "") + help)
    }
    // With it the parser answers a shell, and calls it a fault of its own where there is nothing to
    // answer; none of our completion scripts asks.
    if arguments.first == "---completion" {
        return AuthenticatorError(.usage, "invalid option: ---completion", hint: help)
    }
    let line = message.split(separator: "\n").first.map(String.init) ?? "wrong arguments"
    if secretOptions.contains(where: { line.holds($0 + "'") }) {
        return AuthenticatorError(
            .usage, "a PIN or a code is never an option",
            hint: "it is asked for; a script gives it as a line of standard input; " + help)
    }
    let text = withoutCapital(line.hasSuffix(".") ? line.dropLast() : line[...])
    // "Unknown option '--onec'. Did you mean '--once'?"
    guard let end = text.rangeOfBytes(". ") else {
        let meant = command.option(beginningAs: text).map { "did you mean \($0)? " }
        return AuthenticatorError(.usage, text, hint: (meant ?? "") + help)
    }
    let advice = withoutCapital(text[end.upperBound...])
    return AuthenticatorError(
        .usage, String(text[..<end.lowerBound]),
        hint: advice + (advice.hasSuffix("?") ? " " : "; ") + help)
}

private func withoutCapital(_ sentence: Substring) -> String {
    sentence.prefix(1).lowercased() + sentence.dropFirst()
}

private struct CommandPath {
    /// "softtoken device"
    private(set) var words: String
    /// The commands that could stand next.
    private(set) var known: [String] = []
    /// What stands there instead.
    private(set) var unknown: String?
    private var command: any ParsableCommand.Type

    init(_ arguments: [String], root: any ParsableCommand.Type) {
        words = root.configuration.commandName ?? ""
        command = root
        var commands = root.configuration.subcommands
        // What follows an option may be its value.
        for argument in arguments.prefix(while: { !$0.hasPrefix("-") }) {
            guard !commands.isEmpty else { break }
            known = commands.compactMap { $0.configuration.commandName }
            guard
                let next = commands.first(where: { $0.configuration.commandName == argument })
            else {
                unknown = argument
                break
            }
            words += " " + argument
            command = next
            commands = next.configuration.subcommands
        }
    }

    /// The one option that begins as the unknown one of the parser's message, whose own advice knows
    /// slips alone: "unknown option '--not-prescribing'".
    func option(beginningAs message: String) -> String? {
        let quoted = message.split(separator: "'", omittingEmptySubsequences: false)
        guard quoted.count == 3, quoted[1].hasPrefix("--"), quoted[1].utf8.count > 3 else {
            return nil
        }
        let isLetter = { (byte: UInt8) in byte == 0x2D || (0x61...0x7A).contains(byte) }
        let words = command.helpMessage().utf8.split { !isLetter($0) }.map { String($0) ?? "" }
        let fitting = Set(words.filter { $0.hasPrefix(quoted[1]) })
        return fitting.count == 1 ? fitting.first : nil
    }
}
