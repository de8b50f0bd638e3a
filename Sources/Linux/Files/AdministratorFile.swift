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
    let flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
    let number = unsafe open(path, flags)
    guard number >= 0 else {
        let error = SystemError.last(.open, path)
        if error.isNotFound { return nil }
        throw error.isNotPlain ? .notPlain(path: path) : .system(error)
    }
    let file = Descriptor(owning: number, path: path)
    let attributes = try attributes(of: file, owner: owner)
    guard attributes.isRegularFile else { throw .notPlain(path: path) }
    guard attributes.byteCount <= limit else { throw .tooLong(path: path) }
    let bytes: [UInt8]
    do throws(SystemError) { bytes = try readAll(file, count: limit + 1) } catch {
        throw .system(error)
    }
    guard bytes.count <= limit else { throw .tooLong(path: path) }
    return bytes
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
        let number = unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        guard number >= 0 else {
            let error = SystemError.last(.open, path)
            if error.code == ENOENT { return nil }
            let isOdd = error.isNotPlain || error.code == ENOTDIR
            throw isOdd ? .notPlain(path: path) : .system(error)
        }
        let descriptor = Descriptor(owning: number, path: path)
        guard try attributes(of: descriptor, owner: owner).isDirectory else {
            throw .notPlain(path: path)
        }
        return AdministratorFolder(descriptor: descriptor)
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
    /// - Throws: `FileProblem` (`system`); the file is the old one or the new one,
    ///   whole.
    package borrowing func replace(
        _ name: String, bytes: [UInt8]
    ) throws(FileProblem) {
        do throws(SystemError) {
            var file = try NewFile(
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

private func attributes(
    of file: borrowing Descriptor, owner: UInt32
) throws(FileProblem) -> FileAttributes {
    let attributes: FileAttributes
    do throws(SystemError) { attributes = try file.attributes() } catch {
        throw .system(error)
    }
    guard attributes.owner == owner else { throw .wrongOwner(path: file.path) }
    guard attributes.mode & 0o022 == 0 else { throw .writableByOthers(path: file.path) }
    return attributes
}
