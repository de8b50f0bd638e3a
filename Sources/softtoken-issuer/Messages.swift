// Every error of the modules below as an exit code, a line and a hint. Bound by CONTRACT §2 and
// STYLE 13, 16: what happened and what to do; never what stood in the file.
import Activation
import Keystore
import KeystoreIssuer
import Linux

extension Failure {
    init(_ error: SystemError) {
        let status: ExitStatus =
            switch error.operation {
            case .create: .cantCreate
            case .open where error.isNotFound: .missing
            case .start: .fault
            default: .inputOutput
            }
        let isTaken = error.operation == .create && nameExists(error.subject)
        self.init(
            status, "can't \(error.operation.rawValue) \(error.subject): \(error.plainReason)",
            hint: isTaken ? "what is there is never overwritten: give another name" : nil)
    }

    init(_ problem: FileProblem) {
        switch problem {
        case .system(let error): self.init(error)
        case .wrongOwner(let path):
            self.init(.configuration, "\(path) belongs to another user")
        case .openToOthers(let path, _):
            self.init(
                .configuration, "others may read \(path), where secrets belong",
                hint: "chmod 600 \(path)")
        case .writableByOthers(let path):
            self.init(.configuration, "others may write \(path)", hint: "chmod go-w \(path)")
        case .notPlain(let path):
            self.init(.configuration, "\(path) is not a plain file")
        case .tooLong(let path): self.init(.rejected, "\(path) is too long")
        }
    }

    init(_ error: KeystoreError) {
        self.init(.inputOutput, "there is no guarded memory", hint: "close other programs")
    }

    init(_ error: ActivationError) {
        switch error {
        case .outOfMemory:
            self.init(.inputOutput, error.explanation, hint: error.hint)
        case .rejectedCarrier, .malformedCode, .malformedRequest:
            self.init(.usage, error.explanation, hint: error.hint)
        default: self.init(.rejected, error.explanation, hint: error.hint)
        }
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
                .rejected, "\(path) is in \(encoding.name), which is not read here",
                hint: encoding.conversion)
        case .noMemory: self.init(.inputOutput, "there is no memory to read \(path)")
        }
    }

    init(_ problem: KeyProblem, serial: String) {
        let status: ExitStatus =
            switch problem {
            case .memory: .inputOutput
            case .keyNeeded, .malformedKey: .usage
            case .policy(.expired), .counterAtEnd: .expired
            case .policy: .refused
            default: .rejected
            }
        self.init(status, "token \(serial): \(problem.explanation)", hint: problem.hint)
    }
}

extension KeyProblem {
    /// What is wrong with the key: lower case, no full stop.
    var explanation: String {
        switch self {
        case .noSecret: "the file has no seed for it"
        case .unsupportedAlgorithm: "it is neither a hotp nor a totp key"
        case .ocra: "it is an OCRA key, which needs a challenge"
        case .missingEncoding: "its ResponseFormat has no Encoding: DECIMAL is needed"
        case .serialLength: "its SerialNo is longer than 32 bytes, or can't be shown"
        case .tripleDES: "it is encrypted with 3DES (Triple DES), which is not supported"
        case .tooManyRounds: "its IterationCount is over \(PBKDF2Parameters.iterations.upperBound)"
        case .unsupportedSuite: "its hash function is none of SHA1, SHA256 and SHA512"
        case .unsupportedResponse: "its one-time passwords are not 6 to 8 digits"
        case .malformedValue(let name): "its \(name) is damaged"
        case .repeatedElement(let name): "it has two \(name), of which only one can be meant"
        case .missingMAC: "it is encrypted without a MAC, so that nobody can tell it is whole"
        case .unsupportedEncryption: "it is encrypted in a way that is not supported"
        case .keyNeeded: "it is encrypted"
        case .wrongKey: "the key doesn't open it, or the file was changed"
        case .malformedKey: "the key that was given can't be this file's"
        case .seedLength: "its seed has over 64 bytes"
        case .counterAtEnd: "its counter is at its end"
        case .shortSeed: "its seed has under 16 bytes, too few for a soft token"
        case .policy(let problem): problem.explanation
        case .memory: "there is no guarded memory for it"
        }
    }

    var hint: String? {
        switch self {
        case .keyNeeded: "give the file's key with --key-fd"
        case .malformedKey:
            "a pre-shared key is 32, 48 or 64 hexadecimal digits; else the file has a password"
        case .serialLength: "a link takes 1 to 32 bytes: ask the vendor for shorter serials"
        case .tooManyRounds: "ask the vendor for a file whose password is derived in fewer rounds"
        case .unsupportedEncryption, .tripleDES:
            "AES-CBC and AES key wrap with a pre-shared key or a password are: ask the vendor"
        case .counterAtEnd, .policy(.expired): "the token can't be used any more: issue a new one"
        case .missingMAC, .wrongKey: "ask the vendor for the file and its key again"
        default: nil
        }
    }
}

extension PolicyProblem {
    fileprivate var explanation: String {
        switch self {
        case .unknown: "its policy holds what is not known here, so that it can't be kept"
        case .notForOTP: "its policy doesn't allow one-time passwords"
        case .notYetValid: "its policy says that it is not valid yet"
        case .expired: "its policy says that it is expired"
        case .pin: "its policy asks for a PIN that a soft token can't have"
        case .transactions: "its policy limits how often it is used, which nobody counts here"
        }
    }
}

extension SystemError {
    fileprivate var plainReason: String { reason.prefix(1).lowercased() + reason.dropFirst() }
}
