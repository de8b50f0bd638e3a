// A program that is started for one thing, before any secret is held: the QR reader, the desktop's
// registration. It inherits nothing. Bound by DESIGN §8 ("What must spawn").
internal import Glibc

/// A running program whose standard output is read from here.
public struct ChildProcess: ~Copyable {
    private let process: pid_t
    /// The reading end of its standard output.
    public let output: Descriptor

    /// Starts the program at an absolute path, found in `programFolders`.
    ///
    /// - Returns: nil if no such program is installed.
    /// - Throws: `SystemError` (`start`).
    public static func start(
        _ name: String, arguments: [String]
    ) throws(SystemError) -> ChildProcess? {
        try start(name, arguments, input: nil)
    }

    /// Starts the program with `input` as its standard input.
    public static func start(
        _ name: String, arguments: [String], input: borrowing Descriptor
    ) throws(SystemError) -> ChildProcess? {
        try start(name, arguments, input: input.number)
    }

    /// Whether `start` would find the program.
    public static func isInstalled(_ name: String) -> Bool { find(name) != nil }

    private static func start(
        _ name: String, _ arguments: [String], input: Int32?
    ) throws(SystemError) -> ChildProcess? {
        guard let path = find(name) else { return nil }
        let printed = try Pipe(name)
        // What it has to say is said in our own words.
        let process = try spawn(
            path, [name] + arguments, streams: [input, printed.writing.number, nil])
        return ChildProcess(process: process, output: printed.reading)
    }

    /// Waits until it has ended.
    ///
    /// - Returns: whether it ended with 0.
    public consuming func succeeded() -> Bool {
        var status: Int32 = 0
        while unsafe waitpid(process, &status, 0) < 0 {
            guard errno == EINTR else { return false }
        }
        return status == 0
    }

    /// PATH is not asked: it is whoever started us who set it.
    private static let programFolders = ["/usr/local/bin", "/usr/bin", "/bin"]

    static func find(_ name: String) -> String? {
        programFolders.map { "\($0)/\(name)" }.first { unsafe access($0, X_OK) == 0 }
    }
}

/// Opens a file that a person names, for reading; symbolic links are followed.
///
/// - Throws: `SystemError` (`open`).
public func openInput(_ path: String) throws(SystemError) -> Descriptor {
    try Descriptor(opening: path, O_RDONLY | O_NOCTTY)
}
