// Why a command ends with anything but 0: the authenticator's reasons, the answers', the usage's.
// Messages.swift says each in words. Bound by CONTRACT §2.
import Activation
import Linux
import SoftTokenCore

/// What a command throws.
enum Failure: Error, Equatable {
    case authenticator(AuthenticatorError)
    case answer(AnswerError, question: String)
    case system(SystemError)
    /// Standard output is closed (74).
    case outputClosed
    /// Files may not get as long as the log may (74).
    case fileSizeLimit
    /// The command was not used as it can be (64): what is wrong.
    case usage(String, hint: String? = nil)
    /// Not exactly four digits (64). No attempt was spent.
    case malformedPIN
    /// A name that breaks the text rule (64).
    case unacceptableName
    /// No such token (66).
    case noSuchToken
    /// TOKEN fits several tokens (64): their names.
    case ambiguousToken([String])
    /// There is no such input file (66).
    case noInput(path: String)
    /// An input file is not what it should be (65).
    case rejectedInput(String, hint: String?)
    /// Only root can do this (78).
    case notRoot
    /// An administrator's file can't be trusted or written (78, 73, 74).
    case administratorFile(AdministratorFileProblem)
    /// The audit log is not whole (65): it was reported, nothing more is to be said.
    case logNotWhole(AuditFlaw)
    /// This is the prescribing device (80): it was reported, nothing more is to be said.
    case reported(code: Int32)
    /// The display ended by a signal.
    case signal(Signal)
}

/// Runs a step of the authenticator, in the program's error.
func authenticating<R: ~Copyable>(
    _ body: () throws(AuthenticatorError) -> R
) throws(Failure) -> R {
    do throws(AuthenticatorError) { return try body() } catch { throw .authenticator(error) }
}

/// Asks for an answer, in the program's error.
func answering<R: ~Copyable>(
    _ question: String, _ body: () throws(AnswerError) -> R
) throws(Failure) -> R {
    do throws(AnswerError) { return try body() } catch {
        throw .answer(error, question: question)
    }
}

/// Asks the system, in the program's error.
func running<R: ~Copyable>(_ body: () throws(SystemError) -> R) throws(Failure) -> R {
    do throws(SystemError) { return try body() } catch { throw .system(error) }
}

/// Judges a link, in the program's error.
func judging<R: ~Copyable>(_ body: () throws(ActivationError) -> R) throws(Failure) -> R {
    do throws(ActivationError) { return try body() } catch {
        throw .authenticator(.activation(error))
    }
}
