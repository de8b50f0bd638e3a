// How an answer can fail to come, at a terminal and from a descriptor alike, in the one error; none
// carries what was typed. Bound by CONTRACT §1 ("Answers"), §2.
import Linux
import ProgramSupport
import SoftTokenCore

// `question` is as an error names it: "the PIN".
extension AuthenticatorError {
    /// The input ended, or the descriptor isn't open (64).
    static func missing(_ question: String) -> AuthenticatorError {
        AuthenticatorError(
            .usage, "\(question) is missing: the input ended",
            hint: "run it at a terminal, or give each answer as a line of standard input or by its "
                + "option, the PIN also by --pin-fd N")
    }

    /// Nothing was typed: Ctrl-D, or the terminal has gone (64).
    static func notTyped(_ question: String) -> AuthenticatorError {
        AuthenticatorError(
            .usage, "\(question) was not typed: the input ended",
            hint: "start again when you have it; Ctrl-D ends the input")
    }

    /// What a signal at a prompt means: 130 for Ctrl-C; nil for those that end nothing.
    static func ending(_ signal: Signal) -> AuthenticatorError? {
        switch signal {
        case .interrupt, .quit, .terminate, .hangUp: .ended(by: signal)
        case .suspend, .resume, .resize: nil
        }
    }

    /// Standard input is a terminal, and none of this process's: `su` to another user, say.
    static func noTerminal(_ error: SystemError) -> AuthenticatorError {
        let told = AuthenticatorError.system(error)
        return AuthenticatorError(
            told.exitCode, "\(told.message ?? ""), and questions are asked there",
            hint: "log in at a terminal, or give each answer as a line of standard input")
    }
}

/// An ordinary answer.
///
/// - Parameter count: how many of the bytes it has; nil for one that is too long.
/// - Throws: `AuthenticatorError` (64) for that, and for what is not UTF-8.
func text(
    _ bytes: [UInt8], _ count: Int?, _ question: String
) throws(AuthenticatorError) -> String {
    guard let count else { throw AuthenticatorError(.usage, "\(question) is too long") }
    guard let text = String(validating: bytes[..<count], as: UTF8.self) else {
        throw AuthenticatorError(.usage, "\(question) is not UTF-8 text")
    }
    return text
}

extension OutputSpan where Element == UInt8 {
    /// Lends all the free bytes to be written in place, and keeps the first ones.
    ///
    /// - Parameter body: returns how many it has written; nil for an answer that is too long: then all
    ///   are zeroes, and so many are no answer.
    mutating func write(
        _ body: (inout MutableSpan<UInt8>) throws(AuthenticatorError) -> Int?
    ) throws(AuthenticatorError) {
        append(repeating: 0, count: freeCapacity)
        let all = count
        var kept = 0
        defer { removeLast(all - kept) }
        var bytes = mutableSpan
        if let written = try body(&bytes) {
            kept = written
        } else {
            for index in bytes.indices { bytes[index] = 0 }
            kept = all
        }
    }
}
