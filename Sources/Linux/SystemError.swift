// What the operating system answered when it did not cooperate. One type for the whole module;
// the program above turns it into an exit code (CONTRACT §2: 73, 74, 78).
internal import Glibc

/// A system call that failed, with what was being done to which file.
public struct SystemError: Error, Equatable, Sendable {
    public enum Operation: String, Sendable {
        case open, create, read, write, sync, rename, remove, inspect, lock, start
    }

    public let operation: Operation
    /// The file's path or a plain noun ("terminal"); never file content.
    public let subject: String
    /// `errno` as the call left it.
    public let code: Int32

    public init(_ operation: Operation, _ subject: String, code: Int32) {
        self.operation = operation
        self.subject = subject
        self.code = code
    }

    /// The error that `errno` holds now. Call it before anything else can change `errno`.
    static func last(_ operation: Operation, _ subject: String) -> SystemError {
        SystemError(operation, subject, code: errno)
    }

    public var isNotFound: Bool { code == ENOENT || code == ENOTDIR }
    /// Nobody lets this user.
    package var isPermission: Bool { code == EACCES || code == EPERM }
    /// `ENOENT`, for an error that is made up.
    package static let noSuchFile = ENOENT
    public var isDiskFull: Bool { code == ENOSPC || code == EDQUOT }
    public var isInputOutput: Bool { code == EIO || isDiskFull }
    /// A folder that is not empty stands where a file was to be removed.
    public var isFolderInUse: Bool { operation == .remove && code == ENOTEMPTY }
    /// What stands there is a symbolic link, a folder where a file belongs, or a socket or a device
    /// that nothing answers for.
    public var isNotPlain: Bool { [ELOOP, EISDIR, ENXIO, ENODEV].contains(code) }

    /// The kernel's own words for the code, as strerror(3) gives them.
    public var reason: String {
        guard let text = unsafe strerror(code) else { return "error \(code)" }
        return unsafe String(cString: text)
    }
}
