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

    /// The same with what its standard input reads.
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
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw .last(.start, name) }
        let reading = Descriptor(owning: ends[0], path: name)
        let writing = Descriptor(owning: ends[1], path: name)
        for number in [reading.number, writing.number] {
            _ = fcntl(number, F_SETFD, FD_CLOEXEC)
        }
        let process = try spawn(
            path, [name] + arguments, input: input, output: writing.number)
        return ChildProcess(process: process, output: reading)
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

    private static func spawn(
        _ path: String, _ arguments: [String], input: Int32?, output: Int32
    ) throws(SystemError) -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        if let input {
            unsafe posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
        // What it has to say is said in our own words.
        unsafe posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var vector = unsafe arguments.map { unsafe strdup($0) } + [nil]
        defer {
            for index in unsafe vector.indices { unsafe free(vector[index]) }
        }
        var process = pid_t()
        let code = unsafe posix_spawn(&process, path, &actions, nil, &vector, environ)
        guard code == 0 else { throw SystemError(.start, path, code: code) }
        return process
    }
}

/// Opens a file that a person names, for reading; symbolic links are followed.
///
/// - Throws: `SystemError` (`open`).
public func openInput(_ path: String) throws(SystemError) -> Descriptor {
    let number = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
    guard number >= 0 else { throw .last(.open, path) }
    return Descriptor(owning: number, path: path)
}
