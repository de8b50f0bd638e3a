// The first thing main does: no memory image of this process, and no descriptor but those that it
// was meant to have. Bound by DESIGN §8 ("Order at start") and §3 ("Core dumps off").
internal import CLinux
internal import Glibc

/// What keeps others out of this process's memory and strange files out of its hands.
package enum ProcessGuard {
    /// Makes the process undumpable and its core files empty.
    ///
    /// A core_pattern that is a pipe ignores the limit, and ptrace and /proc/PID/mem heed the
    /// dumpable flag alone: both are needed.
    /// - Throws: `SystemError` (`start`).
    package static func forbidMemoryImages() throws(SystemError) {
        guard st_forbid_core_files() == 0, st_set_dumpable(0) == 0 else {
            throw .last(.start, "core dump protection")
        }
        // A filter from outside can answer in the kernel's place.
        guard !allowsMemoryImages else {
            throw SystemError(.start, "core dump protection", code: EPERM)
        }
    }

    /// Whether the process could leave a core file, or be read by another of the same user. For
    /// `status`: asked of the kernel, not remembered.
    package static var allowsMemoryImages: Bool {
        st_get_dumpable() != 0 || st_core_file_limit() != 0
    }

    /// Raises the limit on how long files may get as far as it goes: under a low one the log would
    /// stop recording while the short files, the keystore among them, could still be written.
    ///
    /// - Returns: whether files of `byteCount` bytes can be written.
    package static func allowFiles(ofByteCount byteCount: UInt64) -> Bool {
        st_raise_file_size_limit() >= byteCount
    }

    /// Makes a closed pipe an error of the write (74) instead of a silent death, a fault of the
    /// program an error of its own (70), and files private whatever umask was inherited.
    ///
    /// - Parameter program: as its errors begin.
    package static func setDefaults(program: String) {
        unsafe unsetenv("SWIFT_BACKTRACE")
        for number in [SIGPIPE, SIGXFSZ] { _ = signal(number, SIG_IGN) }
        // Nor does a handler of the runtime's stand between a crash and the process's end.
        unsafe st_report_faults(
            "\(program): error: a fault of this program ended it; files are old or new, and whole\n"
                + "\(program): hint: try again; if it ends so again, tell those who gave it to you\n"
        )
        _ = umask(0o077)
        // The argument parser ends itself where help has fewer than 27 columns, which a window or this
        // variable may ask for; the programs break its lines themselves.
        unsafe setenv("COLUMNS", "80", 1)
    }

    /// Closes every descriptor above 2 but the `kept` ones, so that nothing inherited (a socket of
    /// a parent, a log) is within reach.
    package static func closeInheritedDescriptors(keeping kept: [Int32]) {
        var first: UInt32 = 3
        for number in Set(kept).sorted() where number >= 3 {
            // A program that is started must not read what is left for us.
            _ = fcntl(number, F_SETFD, FD_CLOEXEC)
            closeRange(first, UInt32(number) - 1)
            first = UInt32(number) + 1
        }
        closeRange(first, UInt32.max)
    }

    /// Opens /dev/null for each of 0, 1 and 2 that is closed: else the next file opened, a
    /// keystore perhaps, becomes standard error and gets the messages. A closed standard output
    /// stays one that can't be written: an OTP that nobody gets is no success.
    ///
    /// - Throws: `SystemError` (`open`).
    package static func openStandardDescriptors() throws(SystemError) {
        for number in Int32(0)...2 where fcntl(number, F_GETFD) < 0 {
            // The lowest free number is taken, which is this one: the lower ones are open.
            let mode = number == 1 ? O_RDONLY : O_RDWR
            guard unsafe open("/dev/null", mode) == number else {
                throw .last(.open, "/dev/null")
            }
        }
    }

    /// Whether standard output was open for writing: to be asked before what it is for is used up.
    package static var isOutputWritable: Bool {
        let flags = fcntl(1, F_GETFL)
        return flags >= 0 && flags & O_ACCMODE != O_RDONLY
    }

    private static func closeRange(_ first: UInt32, _ last: UInt32) {
        guard first <= last, st_close_range(first, last) != 0 else { return }
        // Before Linux 5.9: one by one, as far as descriptors can go.
        let end = min(Int(last), max(1024, sysconf(Int32(_SC_OPEN_MAX))))
        for number in stride(from: Int(first), through: end, by: 1) { _ = close(Int32(number)) }
    }
}

/// The descriptors that the command line hands over: N of `--pin-fd N`, `--key-fd=N` and the like, and
/// of /dev/fd/N and /proc/self/fd/N, as a shell's `<(…)` writes them.
package func descriptorsNamed(in arguments: [String]) -> [Int32] {
    var numbers: [Int32] = []
    for (index, argument) in arguments.enumerated() {
        if argument.hasSuffix("-fd"), index + 1 < arguments.count {
            numbers += [Int32(arguments[index + 1])].compactMap(\.self)
        }
        for prefix in ["-fd=", "/dev/fd/", "/proc/self/fd/"] {
            guard let mark = argument.rangeOfBytes(prefix) else { continue }
            numbers += [Int32(argument[mark.upperBound...])].compactMap(\.self)
        }
    }
    return numbers.filter { $0 >= 0 }
}

/// Whether the process was given this descriptor.
package func isDescriptorOpen(_ number: Int32) -> Bool { fcntl(number, F_GETFD) >= 0 }
