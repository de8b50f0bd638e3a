// A program that goes on when this one has ended: the terminal in which the desktop's link is opened.
// It inherits no descriptor but /dev/null. Bound by DESIGN §8 ("What must spawn").
internal import Glibc

/// A running program of a session of its own.
public struct BackgroundProcess: ~Copyable {
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
        BackgroundProcess(
            process: try spawn(
                path, arguments, streams: [nil, nil, nil], session: .new))
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
