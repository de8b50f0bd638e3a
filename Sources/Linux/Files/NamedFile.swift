// Files that the user named, wherever they lie: read as this user's alone, written 0600 (or 0644 for
// what is public) beside their place and moved there whole. Directory.swift is for our own folders,
// which have to be 0700; a records file may lie in any folder. Bound by CONTRACT §6 and STYLE 21.
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
    private let descriptor: Descriptor
    private let folder: Descriptor
    private let name: String
    private let beside: String
    private let policy: NamePolicy
    private var isPending = true
    package var path: String { descriptor.path }

    /// Creates the file beside its place. A leftover of a killed writer is removed: writers of one
    /// name take turns by a lock.
    ///
    /// - Throws: `SystemError` (`create`).
    package init(
        _ path: String, mode: UInt32 = 0o600, policy: NamePolicy = .replace
    ) throws(SystemError) {
        let (folderPath, name) = split(path)
        let number = unsafe open(folderPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { throw .last(.create, path) }
        try self.init(
            name, in: Descriptor(owning: number, path: folderPath), path: path, mode: mode,
            policy: policy)
    }

    init(
        _ name: String, in folder: consuming Descriptor, path: String, mode: UInt32,
        policy: NamePolicy = .replace
    ) throws(SystemError) {
        if policy == .refuse, exists(name, in: folder) {
            throw SystemError(.create, path, code: EEXIST)
        }
        let beside = name + PreparedFile.suffix
        descriptor = try createBeside(beside, in: folder.number, mode: mode, path: path)
        self.folder = folder
        self.name = name
        self.beside = beside
        self.policy = policy
    }

    deinit {
        if isPending { _ = unsafe unlinkat(folder.number, beside, 0) }
    }

    /// - Throws: `SystemError` (`write`).
    package borrowing func write(_ bytes: Span<UInt8>) throws(SystemError) {
        try descriptor.write(bytes)
    }

    /// Waits for the disk and moves the file to its place.
    ///
    /// - Throws: `SystemError` (`sync`, `rename`, `create`); the place is then as it was.
    package mutating func place() throws(SystemError) {
        try descriptor.sync()
        switch policy {
        case .replace:
            guard unsafe renameat(folder.number, beside, folder.number, name) == 0 else {
                throw .last(.rename, path)
            }
        case .refuse:
            // link(2), unlike rename(2), never replaces.
            guard unsafe linkat(folder.number, beside, folder.number, name, 0) == 0 else {
                throw .last(.create, path)
            }
            _ = unsafe unlinkat(folder.number, beside, 0)
        }
        isPending = false
        try folder.sync()
    }
}

/// Creates a file beside another one's place, whatever a killed writer has left there.
///
/// - Parameter path: how errors name it.
/// - Throws: `SystemError` (`create`).
func createBeside(
    _ name: String, in folder: Int32, mode: UInt32, path: String
) throws(SystemError) -> Descriptor {
    _ = unsafe unlinkat(folder, name, 0)
    let number = unsafe openat(
        folder, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
    guard number >= 0 else { throw .last(.create, path) }
    let file = Descriptor(owning: number, path: path)
    // An odd umask must not make a file that the next command refuses.
    guard fchmod(number, mode) == 0 else {
        let error = SystemError.last(.create, path)
        _ = unsafe unlinkat(folder, name, 0)
        throw error
    }
    return file
}

/// Opens a file of secrets for reading: a plain file, this user's, closed to others.
///
/// - Throws: `FileProblem`.
package func openPrivateFile(_ path: String) throws(FileProblem) -> Descriptor {
    // Without O_NONBLOCK a named pipe would hold the program up before it is told apart.
    let file = try openFile(path, flags: O_NOFOLLOW | O_NONBLOCK)
    let attributes = try attributes(of: file)
    guard attributes.isRegularFile else { throw .notPlain(path: path) }
    guard attributes.owner == geteuid() else { throw .wrongOwner(path: path) }
    guard !attributes.isOpenToOthers else { throw .openToOthers(path: path, mode: 0o600) }
    return file
}

/// Takes the lock of a named file (`FILE.lock`, never removed), waiting for others to end.
///
/// - Returns: the lock, held until it is dropped; nil if it wasn't free within `patienceSeconds`.
/// - Throws: `SystemError` (`create`, `lock`).
package func lockNamedFile(
    _ path: String, patienceSeconds: Int
) throws(SystemError) -> Descriptor? {
    let lockPath = path + ".lock"
    while true {
        let number = unsafe open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard number >= 0 else { throw .last(.create, lockPath) }
        let file = Descriptor(owning: number, path: lockPath)
        guard try LockFile.acquire(file, patienceSeconds: patienceSeconds) else { return nil }
        // Somebody removed the file while we waited: another may hold the new one.
        if LockFile.isSame(file, path: lockPath) { return file }
    }
}

/// Makes a private folder (0700) unless there is one.
///
/// - Throws: `SystemError` (`create`).
package func makePrivateFolder(_ path: String) throws(SystemError) {
    guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else { throw .last(.create, path) }
}

/// Whether something has this name.
package func nameExists(_ path: String) -> Bool {
    var info = stat()
    return unsafe lstat(path, &info) == 0
}

extension Descriptor {
    /// The next bytes, at most `limit`; none at the end.
    ///
    /// - Throws: `SystemError` (`read`).
    package borrowing func nextBytes(limit: Int) throws(SystemError) -> [UInt8] {
        try readAll(self, count: limit)
    }

    /// Goes back to the first byte.
    ///
    /// - Throws: `SystemError` (`read`).
    package borrowing func rewind() throws(SystemError) {
        guard lseek(number, 0, SEEK_SET) == 0 else { throw .last(.read, path) }
    }
}

extension Descriptor {
    /// Whether it is mounted by itself: it lies on another mount than the folder that has its name.
    ///
    /// - Throws: `SystemError` (`open`, `read`, `inspect`).
    package borrowing func isMountedAlone() throws(SystemError) -> Bool {
        let folder = split(path).folder
        let number = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { throw .last(.open, folder) }
        return try mountLine() != Descriptor(owning: number, path: folder).mountLine()
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

private func openFile(_ path: String, flags: Int32) throws(FileProblem) -> Descriptor {
    let number = unsafe open(path, flags | O_RDONLY | O_CLOEXEC | O_NOCTTY)
    guard number >= 0 else {
        let error = SystemError.last(.open, path)
        if error.isNotPlain { throw .notPlain(path: path) }
        throw .system(error)
    }
    return Descriptor(owning: number, path: path)
}

private func attributes(of file: borrowing Descriptor) throws(FileProblem) -> FileAttributes {
    do throws(SystemError) { return try file.attributes() } catch { throw .system(error) }
}

private func exists(_ name: String, in folder: borrowing Descriptor) -> Bool {
    var info = stat()
    return unsafe fstatat(folder.number, name, &info, AT_SYMLINK_NOFOLLOW) == 0
}

/// The folder and the name in it.
private func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let folder = String(path[..<slash])
    return (folder.isEmpty ? "/" : folder, String(path[path.index(after: slash)...]))
}
