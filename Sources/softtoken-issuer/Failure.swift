// What ends a command: an exit code of CONTRACT §2, one line of error and at most one hint, lower
// case and without a full stop (STYLE 16). Messages.swift makes them of the modules' errors.

/// The exit codes of CONTRACT §2 that this program uses.
enum ExitStatus: Int32, Sendable {
    case usage = 64
    case rejected = 65
    case missing = 66
    case fault = 70
    case cantCreate = 73
    case inputOutput = 74
    case tryLater = 75
    case configuration = 78
    case locked = 83
    case expired = 85
    case refused = 88
    case interrupted = 130
}

/// Why a command ends without having done what it was asked.
struct Failure: Error, Equatable, Sendable {
    let status: ExitStatus
    let message: String
    let hint: String?

    init(_ status: ExitStatus, _ message: String, hint: String? = nil) {
        self.status = status
        self.message = message
        self.hint = hint
    }

    /// Runs what throws another error of ours.
    static func catching<R: ~Copyable, E: Error>(
        _ explain: (E) -> Failure, _ body: () throws(E) -> R
    ) throws(Failure) -> R {
        do throws(E) { return try body() } catch { throw explain(error) }
    }
}
