// A program that goes on when this one has ended: the terminal in which the desktop's link is opened.
// It inherits no descriptor but /dev/null. Bound by DESIGN §8 ("What must spawn").
internal import Glibc

/// A running program of a session of its own.
public struct BackgroundProcess: ~Copyable {
    /// POSIX_SPAWN_SETSID, which the Glibc module lacks.
    private static let newSession: Int16 = 0x80

    private let process: pid_t

    /// Starts a program that `ChildProcess.start` would find.
    ///
    /// - Returns: nil if no such program is installed.
    /// - Throws: `SystemError` (`start`).
    public static func start(
        _ name: String, arguments: [String]
    ) throws(SystemError) -> BackgroundProcess? {
        guard let path = ChildProcess.find(name) else { return nil }
        return try start(path: path, arguments: [name] + arguments)
    }

    /// Starts the program at a path.
    ///
    /// - Parameter arguments: its name first.
    /// - Throws: `SystemError` (`start`).
    public static func start(
        path: String, arguments: [String]
    ) throws(SystemError) -> BackgroundProcess {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for (number, mode) in [(Int32(0), O_RDONLY), (1, O_WRONLY), (2, O_WRONLY)] {
            unsafe posix_spawn_file_actions_addopen(&actions, number, "/dev/null", mode, 0)
        }
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        // What this program ignores is none of the other one's.
        var signals = sigset_t()
        unsafe sigfillset(&signals)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGDEF) | newSession)
        var vector = unsafe arguments.map { unsafe strdup($0) } + [nil]
        defer {
            for index in unsafe vector.indices { unsafe free(vector[index]) }
        }
        var process = pid_t()
        let code = unsafe posix_spawn(&process, path, &actions, &attributes, &vector, environ)
        guard code == 0 else { throw SystemError(.start, path, code: code) }
        return BackgroundProcess(process: process)
    }

    /// Whether it has ended otherwise than with 0. A program that hands over to one which runs
    /// already ends with 0.
    public func hasFailed() -> Bool {
        var status: Int32 = 0
        return unsafe waitpid(process, &status, WNOHANG) == process && status != 0
    }

    /// Whether it ends otherwise than with 0 within a time; returns as soon as it does.
    public func hasFailed(withinSeconds seconds: Int) -> Bool {
        let pause: Int32 = 50
        for _ in 0..<(seconds * 1000 / Int(pause)) {
            if hasFailed() { return true }
            _ = poll(nil, 0, pause)
        }
        return hasFailed()
    }
}
