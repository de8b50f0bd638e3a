// How an answer that did not come is told, in the one error. Bound by CONTRACT §2.
import Linux
import ProgramSupport
import SoftTokenCore

/// Asks for an answer, in the one error.
func answering<R: ~Copyable>(
    _ question: String, _ body: () throws(AnswerError) -> R
) throws(AuthenticatorError) -> R {
    do throws(AnswerError) { return try body() } catch { throw error.message(question) }
}

extension AuthenticatorError {
    /// Standard input is a terminal, and none of this process's: `su` to another user, say.
    static func noTerminal(_ error: SystemError) -> AuthenticatorError {
        let told = AuthenticatorError.system(error)
        return AuthenticatorError(
            told.exitCode, "\(told.message ?? ""), and questions are asked there",
            hint: "log in at a terminal, or give each answer as a line of standard input")
    }
}

extension AnswerError {
    /// - Parameter question: as an error names it: "the PIN".
    func message(_ question: String) -> AuthenticatorError {
        switch self {
        case .missing:
            AuthenticatorError(
                .usage, "\(question) is missing: the input ended",
                hint: "run it at a terminal, or give each answer as a line of standard input, "
                    + "the PIN also by --pin-fd N")
        case .interrupted: .interrupted
        case .ended(let signal): .ended(by: signal)
        case .tooLong: AuthenticatorError(.usage, "\(question) is too long")
        case .notText: AuthenticatorError(.usage, "\(question) is not UTF-8 text")
        case .failed(let error): .system(error)
        }
    }
}
