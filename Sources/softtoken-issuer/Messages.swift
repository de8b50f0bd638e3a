// Every error of the modules below as this program's one, the core's: an exit code, a line and a
// hint. Bound by CONTRACT §2 and STYLE 13, 16: what happened and what to do; never what stood in the
// file.
import Activation
import Keystore
import Linux
import ProgramSupport
import SoftTokenCore

/// Why a command ends without having done what it was asked.
typealias Failure = AuthenticatorError

/// Where this program's words go.
let output = ProgramOutput(program: "softtoken-issuer")

extension ExitStatus {
    /// Too many wrong OTPs: the token is locked. CONTRACT §6.
    static let locked = erased
}

/// Asks the system, in the one error.
func fromSystem<R: ~Copyable>(_ body: () throws(SystemError) -> R) throws(Failure) -> R {
    do throws(SystemError) { return try body() } catch { throw .of(error) }
}

/// Opens a file of secrets: a plain file, this user's, closed to others.
///
/// - Throws: `Failure`: 66, 78, 74.
func openPrivate(_ path: String) throws(Failure) -> Descriptor {
    do throws(FileProblem) { return try openPrivateFile(path) } catch {
        if case .system(let error) = error { throw .of(error) }
        throw Failure(file: error)
    }
}

/// Works in guarded memory, in the one error.
func inMemory<R: ~Copyable>(_ body: () throws(KeystoreError) -> R) throws(Failure) -> R {
    do throws(KeystoreError) { return try body() } catch {
        throw Failure(.inputOutput, "there is no guarded memory", hint: "close other programs")
    }
}

/// Reads or makes a link, in the one error.
func judging<R: ~Copyable>(_ body: () throws(ActivationError) -> R) throws(Failure) -> R {
    do throws(ActivationError) { return try body() } catch { throw Failure(error) }
}

extension Failure {
    init(_ error: ActivationError) {
        let code: ExitStatus =
            switch error {
            case .outOfMemory: .inputOutput
            case .rejectedCarrier, .malformedCode, .malformedRequest: .usage
            default: .rejected
            }
        self.init(code, error.explanation, hint: error.hint)
    }

    init(_ problem: KeyProblem, serial: String) {
        self.init(problem.code, "token \(serial): \(problem.explanation)", hint: problem.hint)
    }

    static func of(_ error: SystemError) -> Failure {
        switch error.operation {
        case .open where error.isNotFound:
            Failure(.notFound, "there is no file \(error.subject)")
        case .create where nameExists(error.subject): .taken(error.subject)
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

    init(_ error: PSKCError, path: String) {
        switch error {
        case .failed(let error): self.init(error)
        case .notPSKC:
            self.init(.rejected, "\(path) is not a PSKC file", hint: "RFC 6030 says what one is")
        case .draft:
            self.init(
                .rejected, "\(path) is in a draft of PSKC that is older than RFC 6030",
                hint: "ask the vendor for a file as RFC 6030 has it")
        case .unknownVersion: self.init(.rejected, "\(path) is of an unknown version of PSKC")
        case .malformed: self.init(.rejected, "\(path) is damaged: its keys are not in order")
        case .xml(let error): self.init(error, path: path)
        }
    }

    private init(_ error: XMLError, path: String) {
        switch error {
        case .notWellFormed(let line):
            self.init(.rejected, "\(path) is damaged: line \(line) is no XML")
        case .doctype(let line):
            self.init(
                .rejected, "\(path) has a document type definition in line \(line)",
                hint: "PSKC needs none, and it can make a program read other files: remove it")
        case .tooMuch(let line): self.init(.rejected, "\(path) is nested too deep in line \(line)")
        case .encoding(let encoding):
            self.init(
                .rejected, "\(path) is in \(encoding.rawValue), which is not read here",
                hint: encoding.conversion)
        case .noMemory: self.init(.inputOutput, "there is no memory to read \(path)")
        }
    }

    /// A change of this file doesn't read back.
    init(changing path: String) {
        self.init(
            .rejected, "\(path) can't be changed: what was written doesn't read back as it should",
            hint: "the file is as it was; ask its vendor for plain RFC 6030")
    }

    /// Nothing is written to a file in another encoding than ours.
    init(encoding: XMLEncoding, of path: String) {
        self.init(
            .rejected, "\(path) is in \(encoding.rawValue): nothing can be written to it",
            hint: encoding.conversion)
    }
}
