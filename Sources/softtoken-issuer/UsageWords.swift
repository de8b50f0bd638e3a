// What the argument parser finds wrong, as this program's failure. Bound by CONTRACT §2 (64).
import ProgramSupport
import SoftTokenCore

extension Failure {
    /// The failure of arguments that can't be parsed.
    ///
    /// - Parameters:
    ///   - message: the parser's, which may have several lines and end in a question.
    ///   - arguments: those of the process; a link is not among them any more.
    static func usage(parserMessage message: String, _ arguments: [String]) -> Failure {
        let error = usageError(
            parserMessage: message, arguments, root: SoftTokenIssuer.self)
        return Failure(.usage, error.message ?? "", hint: error.hint)
    }
}
