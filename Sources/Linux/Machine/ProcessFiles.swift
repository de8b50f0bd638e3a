// The files of processes in /proc, as the kernel fills them: read from procfs's own root, over no
// mount and no link, so that nothing that was mounted there can answer in their place.
// Bound by Device/FORMAT.md §6 and openat2(2).
internal import CLinux
internal import Glibc

enum ProcessFiles {
    /// Who owns the root of procfs, as this process's user namespace numbers users; nil if what
    /// stands at /proc is something else.
    static var rootOwner: UInt32? { root?.owner }

    /// The first bytes of `/proc/PID/…` or `/proc/self/…`; `unreadable` where this can't be shown to
    /// be the kernel's (before Linux 5.6, too).
    static func contents(_ path: String, limit: Int) -> FileReading {
        read(path, O_RDONLY | O_NONBLOCK | O_NOCTTY) { try? $0.nextBytes(limit: limit) }
    }

    /// Where a link in /proc/self leads.
    static func link(_ name: String) -> FileReading {
        read("/proc/self/\(name)", pathOnly | O_NOFOLLOW) { link in
            linkTarget(link.number, "").map { Array($0.utf8) }
        }
    }

    private static func read(
        _ path: String, _ flags: Int32, _ content: (borrowing Descriptor) -> [UInt8]?
    ) -> FileReading {
        guard let root, let own else { return .unreadable }
        let name = path.dropFirst("/proc/".count)
        let isOwn = name.hasPrefix("self/")
        let number = unsafe st_open_beneath(
            root.descriptor, isOwn ? own + String(name.dropFirst("self".count)) : String(name),
            flags | O_CLOEXEC)
        guard number >= 0 else { return errno == ENOENT ? .absent : .unreadable }
        let found = content(Descriptor(owning: number, path: path))
        return found.map { .bytes($0) } ?? .unreadable
    }

    /// Whether a path is one of a process's files.
    static func has(_ path: String) -> Bool {
        guard path.hasPrefix("/proc/") else { return false }
        let name = path.dropFirst("/proc/".count)
        return name.hasPrefix("self/") || name.first?.isNumber == true
    }

    private struct Root {
        /// Open for as long as the process lives.
        let descriptor: Int32
        let owner: UInt32
    }

    private static let root: Root? = {
        let number = unsafe open("/proc", pathOnly | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard number > 2 else { return nil }
        guard st_file_system(number) == procfsMagic,
            let found = FileAttributes(of: ".", in: number), found.inode == 1
        else {
            _ = close(number)
            return nil
        }
        return Root(descriptor: number, owner: found.owner)
    }()

    /// This process's number in that procfs, which may be another pid namespace's.
    private static let own: String? = {
        guard let root else { return nil }
        let number = unsafe st_open_beneath(
            root.descriptor, "self", pathOnly | O_NOFOLLOW | O_CLOEXEC)
        guard number >= 0 else { return nil }
        let link = Descriptor(owning: number, path: "/proc/self")
        return linkTarget(link.number, "")
    }()

    private static let procfsMagic = 0x9FA0
}

/// O_PATH, which Glibc's module lacks: a name without the right to read.
let pathOnly: Int32 = 0o10_000_000
