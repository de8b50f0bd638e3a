// Files that root writes and everybody reads, in /etc/softtoken: plain files of root that nobody
// else can write. Bound by DESIGN §6 (the marker) and CONTRACT §4 (policy, issuers).
internal import Glibc

/// The bytes of an administrator's file.
///
/// - Parameter owner: root; another one only in tests that don't run as root.
/// - Returns: nil if there is none.
/// - Throws: `FileProblem`.
package func readAdministratorFile(
    _ path: String, limit: Int, owner: UInt32 = 0
) throws(FileProblem) -> [UInt8]? {
    let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
    guard let file = try Descriptor.open(ifThere: path, flags) else { return nil }
    try file.checkAdministrators(.file, owner: owner)
    return try file.contents(limit: limit)
}

/// A folder of root's that everybody can read.
@safe package struct AdministratorFolder: ~Copyable {
    private let descriptor: Descriptor

    /// Opens the folder.
    ///
    /// - Parameter owner: as in `readAdministratorFile`.
    /// - Returns: nil if there is none.
    /// - Throws: `FileProblem`.
    package static func open(
        _ path: String, owner: UInt32 = 0
    ) throws(FileProblem) -> AdministratorFolder? {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW
        guard let folder = try Descriptor.open(ifThere: path, flags) else { return nil }
        try folder.checkAdministrators(.folder, owner: owner)
        return AdministratorFolder(descriptor: folder)
    }

    /// Opens the folder, creating it (0755) if it is missing.
    package static func openOrCreate(
        _ path: String, owner: UInt32 = 0
    ) throws(FileProblem) -> AdministratorFolder {
        if unsafe mkdir(path, 0o755) == 0 {
            // An odd umask must not hide the folder from those who read it.
            guard unsafe chmod(path, 0o755) == 0 else { throw .system(.last(.create, path)) }
        } else if errno != EEXIST {
            throw .system(.last(.create, path))
        }
        guard let folder = try open(path, owner: owner) else {
            throw .system(SystemError(.create, path, code: ENOENT))
        }
        return folder
    }

    /// Replaces a file (0644): write beside, fsync, rename, fsync the folder.
    ///
    /// - Throws: `FileProblem` (`system`); the file is the old one or the new one, whole.
    package borrowing func replace(_ name: String, bytes: [UInt8]) throws(FileProblem) {
        do throws(SystemError) {
            var file = try PreparedFile(
                name, in: descriptor.copy(), path: "\(descriptor.path)/\(name)", mode: 0o644)
            try file.write(bytes.span)
            try file.place()
        } catch { throw .system(error) }
    }

    /// Removes a file, whatever it is but a folder, and waits for the disk.
    ///
    /// - Returns: false if there was none.
    /// - Throws: `FileProblem` (`system`).
    package borrowing func remove(_ name: String) throws(FileProblem) -> Bool {
        guard unsafe unlinkat(descriptor.number, name, 0) == 0 else {
            if errno == ENOENT { return false }
            throw .system(.last(.remove, "\(descriptor.path)/\(name)"))
        }
        do throws(SystemError) { try descriptor.sync() } catch { throw .system(error) }
        return true
    }
}

extension Descriptor {
    fileprivate borrowing func checkAdministrators(
        _ kind: FileKind, owner: UInt32
    ) throws(FileProblem) {
        guard try check(kind, owner: owner).mode & 0o022 == 0 else {
            throw .writableByOthers(path: path)
        }
    }
}
