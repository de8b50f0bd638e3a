// How an answer can fail to come, at a terminal and from a descriptor alike. Bound by CONTRACT §1
// ("Answers") and §2: `missing`, `tooLong` and `notText` are 64, `interrupted` is 130.
import Linux

/// Why a question has no answer. Never carries what was typed.
enum AnswerError: Error, Equatable, Sendable {
    /// The input ended, the terminal has gone, or the descriptor isn't open.
    case missing
    /// Ctrl-C.
    case interrupted
    /// Another signal asked the process to end; the exit code is the signal's.
    case ended(Signal)
    /// More than `limit` bytes.
    case tooLong(limit: Int)
    /// Not UTF-8 (ordinary answers only).
    case notText
    case failed(SystemError)
}

extension AnswerError {
    /// What a signal at a prompt means; nil for those that end nothing.
    init?(_ signal: Signal) {
        switch signal {
        case .interrupt: self = .interrupted
        case .quit, .terminate, .hangUp: self = .ended(signal)
        case .suspend, .resume, .resize: return nil
        }
    }
}
