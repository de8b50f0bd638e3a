// This program's one error, the core's: an exit code, a line and a hint; and the errors of the modules
// below as that. Bound by CONTRACT §2 and STYLE 13, 16: what happened and what to do; never what stood
// in the file.
import Activation
import Keystore
import Linux
import SoftTokenCore

/// Why a command ends without having done what it was asked.
typealias Failure = AuthenticatorError

extension ExitStatus {
    /// Too many wrong OTPs: the token is locked. CONTRACT §6.
    static let locked = erased
}

extension Failure {
    /// Of many, some: what was wrong with each was told.
    static func rejected(_ count: Int, of all: Int) -> Failure {
        .rejected("\(count) of \(all) \(count == 1 ? "was" : "were") rejected")
    }
}

/// Asks the system, in the one error.
func fromSystem<R: ~Copyable>(
    _ step: @autoclosure () throws(SystemError) -> R
) throws(Failure) -> R {
    do throws(SystemError) { return try step() } catch { throw .of(error) }
}

/// Opens a file of secrets: a plain file, this user's, closed to others.
func openPrivate(_ path: String) throws(Failure) -> Descriptor {
    do throws(FileProblem) { return try openPrivateFile(path) } catch {
        if case .system(let error) = error { throw .of(error) }
        throw Failure(file: error)
    }
}

/// Works in guarded memory, in the one error.
func inMemory<R: ~Copyable>(
    _ step: @autoclosure () throws(KeystoreError) -> R
) throws(Failure) -> R {
    do throws(KeystoreError) { return try step() } catch {
        throw Failure(.inputOutput, "there is no guarded memory", hint: "close other programs")
    }
}

/// Reads or makes a link, in the one error.
func judging<R: ~Copyable>(
    _ step: @autoclosure () throws(ActivationError) -> R
) throws(Failure) -> R {
    do throws(ActivationError) { return try step() } catch { throw Failure(error) }
}

/// Works on a token, whose serial is told with what goes wrong.
func ofToken<R: ~Copyable>(
    _ serial: String, _ step: @autoclosure () throws(Failure) -> R
) throws(Failure) -> R {
    do throws(Failure) { return try step() } catch {
        throw Failure(
            error.exitCode, "token \(serial): \(error.message ?? "")", hint: error.hint)
    }
}

extension Failure {
    static func rejected(_ message: String, hint: String? = nil) -> Failure {
        Failure(.rejected, message, hint: hint)
    }

    static func usage(_ message: String, hint: String? = nil) -> Failure {
        Failure(.usage, message, hint: hint)
    }

    init(_ error: ActivationError) {
        let code: ExitStatus =
            switch error {
            case .outOfMemory: .inputOutput
            case .rejectedCarrier, .malformedCode, .malformedRequest: .usage
            default: .rejected
            }
        self.init(code, error.explanation, hint: error.hint)
    }

    static func of(_ error: SystemError) -> Failure {
        switch error.operation {
        case .open where error.isNotFound:
            Failure(.notFound, "there is no file \(error.subject)")
        case .create where isSystemPathPresent(error.subject): .taken(error.subject)
        default: Failure(error)
        }
    }

    /// Another command had it for a minute.
    static func busy(_ path: String) -> Failure {
        Failure(.tryLater, "\(path) is in use by another command", hint: "try again later")
    }

    static func taken(_ path: String) -> Failure {
        Failure(
            .cannotCreate, "there is a file \(path) already",
            hint: "what is there is never overwritten: give another name")
    }
}
