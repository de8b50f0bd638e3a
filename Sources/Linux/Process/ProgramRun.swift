// Another program, run as a shell would run it, with an environment and an input of its own, and
// what it printed: for a program that tests itself. No secret of a user's is near it.
internal import Glibc

/// How a program ended, and what it printed.
package struct ProgramEnd: Sendable {
    /// Its exit code; 128 and the signal's number where a signal ended it.
    package let code: Int32
    package let output: [UInt8]
    package let error: [UInt8]
}

/// A running program. Dropped, it is killed and waited for.
package struct ProgramRun: ~Copyable {
    private let process: pid_t
    private let output: Descriptor
    private let error: Descriptor
    private var isRunning = true

    /// Starts the program at a path.
    ///
    /// - Parameters:
    ///   - environment: all that it gets, `NAME=value` each.
    ///   - input: its standard input, 64 KiB at most, then its end.
    /// - Throws: `SystemError` (`start`).
    package init(
        _ path: String, arguments: [String], environment: [String], input: [UInt8] = []
    ) throws(SystemError) {
        let answers = try filledPipe(input.span)
        let printed = try Pipe(path)
        let complained = try Pipe(path)
        process = try spawn(
            path, [path] + arguments, environment: environment,
            streams: [answers.number, printed.writing.number, complained.writing.number])
        output = printed.reading
        error = complained.reading
    }

    deinit {
        guard isRunning else { return }
        _ = kill(process, SIGKILL)
        _ = waitpid(process, nil, 0)
    }

    /// Waits for its end, and reads what it printed, 1 MiB of each at most.
    ///
    /// - Throws: `SystemError` (`read`).
    package consuming func end() throws(SystemError) -> ProgramEnd {
        let printed = try output.nextBytes(limit: 1 << 20)
        let complained = try error.nextBytes(limit: 1 << 20)
        var status: Int32 = 0
        while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
        isRunning = false
        let signal = status & 0x7F
        return ProgramEnd(
            code: signal == 0 ? status >> 8 & 0xFF : 128 + signal, output: printed,
            error: complained)
    }

    /// Kills it (SIGKILL) when `isTime` says so, which is asked all the time.
    ///
    /// - Returns: how it ended; by itself, where that was sooner.
    package consuming func killed(
        when isTime: (_ residentBytes: Int) throws(SystemError) -> Bool
    ) throws(SystemError) -> ProgramEnd {
        while isStillRunning {
            if try isTime(residentBytes) {
                _ = kill(process, SIGKILL)
                break
            }
            _ = sched_yield()
        }
        return try end()
    }

    /// Left waitable where it has ended: `end` collects it.
    private var isStillRunning: Bool {
        var info = unsafe siginfo_t()
        let options = WEXITED | WNOHANG | WNOWAIT
        return unsafe waitid(P_PID, id_t(process), &info, options) == 0 && info.si_signo == 0
    }

    /// Its memory that lies in the machine's; 0 where that can't be read.
    private var residentBytes: Int {
        guard let text = try? readSystemFile("/proc/\(process)/statm", limit: 256) else { return 0 }
        let fields = String(decoding: text, as: UTF8.self).split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { return 0 }
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}

/// Tells of names that files get in a folder.
package struct FolderWatch: ~Copyable {
    private let descriptor: Descriptor

    /// Begins to watch.
    ///
    /// - Throws: `SystemError` (`open`).
    package init(_ path: String) throws(SystemError) {
        let number = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
        guard number >= 0, unsafe inotify_add_watch(number, path, UInt32(IN_MOVED_TO)) >= 0 else {
            throw .last(.open, path)
        }
        descriptor = Descriptor(owning: number, path: path)
    }

    /// Whether a file was moved to this name since it was asked last.
    package borrowing func wasMoved(to name: String) -> Bool {
        var events = [UInt8](repeating: 0, count: 4096)
        let count = unsafe read(descriptor.number, &events, events.count)
        guard count > 0 else { return false }
        return String(decoding: events.prefix(count), as: UTF8.self).holds(name + "\0")
    }
}
