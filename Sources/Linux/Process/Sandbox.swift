// Offline is enforced, not promised: seccomp takes away every socket, Landlock every
// file but those of two folders. Bound by DESIGN §1.7, §8 ("Order at start"), CONTRACT §3 (`network`,
// `files`). Both hold for the process and for what it starts, for ever.
internal import CLinux
internal import Glibc

/// What the process can no longer do.
package enum Sandbox {
    /// Takes away sockets of every family, io_uring, other ABIs, and reaching into another process.
    /// A refused socket is `EACCES`; a foreign ABI ends the process.
    ///
    /// Call it before anything is read, while there is one thread. A second call does nothing.
    /// - Throws: `SystemError` (`start`): then nothing secret may be touched.
    package static func blockNetwork() throws(SystemError) {
        if let filterFailure { throw filterFailure }
    }

    /// Installs the filter when it is first asked for, and keeps why that failed. It is looked at
    /// once: a filter from outside can answer in the kernel's place.
    private static let filterFailure: SystemError? = {
        _ = wasFiltered
        guard st_install_seccomp_filter() == 0 else { return .last(.start, "network filter") }
        return isNetworkBlocked ? nil : SystemError(.start, "network filter", code: EPERM)
    }()

    /// Whether this process came with a filter of system calls that isn't ours: its calls may be
    /// answered by whoever started it. nil if that can't be read. prctl(2) would not do: it is a
    /// call, and /proc/self/status has to be filled.
    package static let wasFiltered: Bool? = SystemTree.real
        .bytes("/proc/self/status", limit: 65_536)
        .flatMap { isFiltered(status: String(decoding: $0, as: UTF8.self)) }

    /// Takes away every file but those beneath `folders`, where this kernel has Landlock.
    ///
    /// What is open already stays open: the terminal, descriptors of other files. It holds for the
    /// calling thread and those that it starts: call it while there is one.
    /// - Parameter folders: descriptors of the data and the state folder; none for a command that
    ///   has none.
    /// - Throws: `SystemError` (`start`) if Landlock is there and failed.
    package static func confineFiles(to folders: [Int32]) throws(SystemError) {
        ClockReading.prepare()
        let abi = st_landlock_abi()
        guard abi >= 1 else { return }
        let number = st_landlock_create(abi)
        guard number >= 0 else { throw .last(.start, "file sandbox") }
        let ruleset = Descriptor(owning: number, path: "file sandbox")
        for folder in folders {
            guard st_landlock_allow_folder(ruleset.number, folder, abi) == 0 else {
                throw .last(.start, "file sandbox")
            }
        }
        guard st_landlock_restrict(ruleset.number) == 0 else { throw .last(.start, "file sandbox") }
        guard areFilesConfined else { throw SystemError(.start, "file sandbox", code: EPERM) }
    }

    /// Whether a socket is refused, even one of this machine alone; tried, not remembered.
    package static var isNetworkBlocked: Bool {
        let number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        if number >= 0 { _ = close(number) }
        return number < 0
    }

    /// Whether files outside of the folders are refused; tried, not remembered.
    package static var areFilesConfined: Bool {
        let number = unsafe open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if number >= 0 { _ = close(number) }
        return number < 0
    }
}

/// Whether the line `Seccomp` of /proc/PID/status (proc_pid_status(5)) tells of a filter; nil without
/// one.
func isFiltered(status: String) -> Bool? {
    guard let name = status.rangeOfBytes("\nSeccomp:\t") else { return nil }
    return !status[name.upperBound...].hasPrefix("0\n")
}
