// A program run once, with its time and its peak memory.
import Glibc

/// The program failed or could not be started.
struct ChildFailure: Error {
    let arguments: [String]
    let status: Int32
}

struct Child {
    let seconds: Double
    let peakKibibytes: Int

    /// Runs a program with nothing but HOME and PATH around it, its output thrown away.
    ///
    /// - Parameter pin: lent on descriptor 3.
    init(_ arguments: [String], home: String, pin: String? = nil) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var ends: [Int32] = [-1, -1]
        if let pin {
            guard pipe(&ends) == 0 else { throw ChildFailure(arguments: arguments, status: errno) }
            let line = Array((pin + "\n").utf8)
            guard write(ends[1], line, line.count) == line.count else {
                throw ChildFailure(arguments: arguments, status: errno)
            }
            close(ends[1])
            posix_spawn_file_actions_adddup2(&actions, ends[0], 3)
        }
        defer { if pin != nil { close(ends[0]) } }
        var argv = arguments.map { strdup($0) } + [nil]
        var environment = [strdup("HOME=" + home), strdup("PATH=/usr/bin"), nil]
        defer { for text in argv + environment { free(text) } }
        var process = pid_t()
        var status: Int32 = 0
        var usage = rusage()
        let start = ContinuousClock.now
        let code = posix_spawn(&process, arguments[0], &actions, nil, &argv, &environment)
        guard code == 0 else { throw ChildFailure(arguments: arguments, status: code) }
        wait4(process, &status, 0, &usage)
        let duration = ContinuousClock.now - start
        guard status == 0 else {
            throw ChildFailure(arguments: arguments, status: status >> 8 & 255)
        }
        seconds =
            Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
        peakKibibytes = usage.ru_maxrss
    }
}
