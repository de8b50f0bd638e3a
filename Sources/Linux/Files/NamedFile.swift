// Files that the user named, wherever they lie: written 0600 (or 0644 for what is public) beside their
// place and moved there whole. Directory.swift is for our own folders, which have to be 0700; a records
// file may lie in any folder. Bound by CONTRACT §6 and STYLE 21.
internal import Glibc

/// What becomes of a file that already has the name.
package enum NamePolicy: Equatable, Sendable {
    case replace
    /// `EEXIST` instead.
    case refuse
}

/// A file being written beside its place, piece by piece, so that its size doesn't matter.
///
/// Dropped without `place()`, it leaves nothing behind.
@safe package struct NewFile: ~Copyable {
    package let path: String
    private let policy: NamePolicy
    private var prepared: PreparedFile

    /// Creates the file beside its place. Writers of one name take turns by a lock.
    ///
    /// - Throws: `SystemError` (`create`).
    package init(
        _ path: String, mode: UInt32 = 0o600, policy: NamePolicy = .replace
    ) throws(SystemError) {
        let folder: Descriptor
        let (folderPath, name) = split(path)
        do throws(SystemError) { folder = try openFolder(folderPath) } catch {
            throw SystemError(.create, path, code: error.code)
        }
        if policy == .refuse, FileAttributes(of: name, in: folder.number) != nil {
            throw SystemError(.create, path, code: EEXIST)
        }
        prepared = try PreparedFile(name, in: folder, path: path, mode: mode)
        self.path = path
        self.policy = policy
    }

    /// - Throws: `SystemError` (`write`).
    package borrowing func write(_ bytes: Span<UInt8>) throws(SystemError) {
        try prepared.write(bytes)
    }

    /// Lends what was written so far, wherever in it the last write ended.
    package borrowing func withFile<R, E: Error>(
        _ body: (borrowing Descriptor) throws(E) -> R
    ) throws(E) -> R {
        try body(prepared.file)
    }

    /// Waits for the disk and moves the file to its place.
    ///
    /// - Throws: `SystemError` (`sync`, `rename`, `create`); the place is then as it was.
    package mutating func place() throws(SystemError) { try prepared.place(policy) }
}

/// Makes a private folder (0700) unless there is one.
///
/// - Throws: `SystemError` (`create`).
package func makePrivateFolder(_ path: String) throws(SystemError) {
    guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else { throw .last(.create, path) }
}

extension Descriptor {
    /// Whether it is mounted by itself: it lies on another mount than the folder that has its name.
    ///
    /// - Throws: `SystemError` (`open`, `read`, `inspect`).
    package borrowing func isMountedAlone() throws(SystemError) -> Bool {
        try mountLine() != openFolder(split(path).folder).mountLine()
    }

    /// The line of its mount (proc_pid_fdinfo(5)), the third or fourth. statx(2) tells a mount
    /// point from Linux 5.8 on alone.
    private borrowing func mountLine() throws(SystemError) -> String {
        let info = try readSystemFilePrefix("/proc/self/fdinfo/\(number)", limit: 256)
        let lines = String(decoding: info, as: UTF8.self).split(separator: "\n")
        guard let line = lines.first(where: { $0.hasPrefix("mnt_id:") }) else {
            throw SystemError(.inspect, path, code: ENOSYS)
        }
        return String(line)
    }
}

/// Opens a folder, whosever it is.
func openFolder(_ path: String) throws(SystemError) -> Descriptor {
    try Descriptor(opening: path, O_RDONLY | O_DIRECTORY)
}

/// The folder and the name in it.
func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let folder = String(path[..<slash])
    return (folder.isEmpty ? "/" : folder, String(path[path.index(after: slash)...]))
}
