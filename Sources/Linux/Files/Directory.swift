// The two private folders and the files in them: opened by descriptor, never through a symbolic
// link, owner and mode checked at every open. Bound by DESIGN §3 (last paragraph) and STYLE 21.
internal import Glibc

/// Why a private file or folder, or one of the administrator's, can't be used.
package enum FileProblem: Error, Equatable, Sendable {
    /// The system said no.
    case system(SystemError)
    /// It belongs to another user than this one; an administrator's, to another than root.
    case wrongOwner(path: String)
    /// An administrator's: its group or others may write it.
    case writableByOthers(path: String)
    /// Others may read or write it; `mode` is what it should be (0o600 or 0o700).
    case openToOthers(path: String, mode: UInt32)
    /// It is a symbolic link, a folder where a file belongs, or the other way round.
    case notPlain(path: String)
    /// It is longer than such a file can be.
    case tooLong(path: String)
}

/// An open private folder.
@safe package struct Directory: ~Copyable {
    package let descriptor: Descriptor
    package var path: String { descriptor.path }

    init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

    /// Opens the folder at an absolute path and checks that it is this user's alone.
    ///
    /// - Returns: nil if there is none.
    /// - Throws: `FileProblem`.
    package static func open(_ path: String) throws(FileProblem) -> Directory? {
        let number = unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        guard number >= 0 else {
            let error = SystemError.last(.open, path)
            if error.code == ENOENT { return nil }
            if error.code == ELOOP || error.code == ENOTDIR {
                if isPresent(path) { throw .notPlain(path: path) }
                return nil
            }
            throw .system(error)
        }
        let descriptor = Descriptor(owning: number, path: path)
        try checkPrivate(descriptor, mode: 0o700)
        return Directory(descriptor)
    }

    /// Opens the folder, creating it (0700) and its parents (0700) where they are missing.
    package static func openOrCreate(_ path: String) throws(FileProblem) -> Directory {
        if let directory = try open(path) { return directory }
        var end = path.index(after: path.startIndex)
        while end <= path.endIndex {
            let next = path[end...].firstIndex(of: "/") ?? path.endIndex
            let part = String(path[..<next])
            if unsafe mkdir(part, 0o700) != 0, errno != EEXIST {
                throw .system(.last(.create, part))
            }
            guard next < path.endIndex else { break }
            end = path.index(after: next)
        }
        guard let directory = try open(path) else {
            throw .system(SystemError(.create, path, code: ENOENT))
        }
        return directory
    }

    /// Opens a private file for reading.
    ///
    /// - Returns: nil if there is none.
    /// - Throws: `FileProblem`; a file of another owner, open to others, or not a plain file.
    package borrowing func open(
        _ name: String, flags: Int32 = 0
    ) throws(FileProblem) -> Descriptor? {
        let number = unsafe openat(
            descriptor.number, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
        let filePath = "\(path)/\(name)"
        guard number >= 0 else {
            let error = SystemError.last(.open, filePath)
            if error.code == ENOENT { return nil }
            if error.isNotPlain { throw .notPlain(path: filePath) }
            throw .system(error)
        }
        let file = Descriptor(owning: number, path: filePath)
        try Directory.checkPrivate(file, mode: 0o600)
        return file
    }

    /// The bytes of a private file that holds no secret.
    ///
    /// - Returns: nil if there is none.
    /// - Throws: `FileProblem`; `tooLong` beyond `limit` bytes.
    package borrowing func contents(
        of name: String, limit: Int
    ) throws(FileProblem) -> [UInt8]? {
        guard let file = try open(name) else { return nil }
        let count: Int
        do throws(SystemError) { count = try file.attributes().byteCount } catch {
            throw .system(error)
        }
        guard count <= limit else { throw .tooLong(path: file.path) }
        do throws(SystemError) { return try readAll(file, count: count) } catch {
            throw .system(error)
        }
    }

    /// Whether the name exists here, whatever it is.
    package borrowing func contains(_ name: String) -> Bool {
        var info = stat()
        return unsafe fstatat(descriptor.number, name, &info, AT_SYMLINK_NOFOLLOW) == 0
    }

    /// Removes what stands there: a file of any kind, a symbolic link itself, an empty folder. Nothing
    /// is no error.
    ///
    /// - Throws: `SystemError` (`remove`), `isFolderInUse` for a folder that is not empty.
    package borrowing func remove(_ name: String) throws(SystemError) {
        if unsafe unlinkat(descriptor.number, name, 0) == 0 || errno == ENOENT { return }
        if errno == EISDIR, unsafe unlinkat(descriptor.number, name, Int32(AT_REMOVEDIR)) == 0 {
            return
        }
        throw .last(.remove, "\(path)/\(name)")
    }

    /// Removes what stands in place of a file and is none; a plain file is left.
    ///
    /// - Throws: `SystemError`, as `remove`.
    package borrowing func removeUnlessPlain(_ name: String) throws(SystemError) {
        var info = stat()
        guard unsafe fstatat(descriptor.number, name, &info, AT_SYMLINK_NOFOLLOW) == 0,
            !FileAttributes(info).isRegularFile
        else { return }
        try remove(name)
    }

    /// Overwrites a file's bytes, waits for the disk, and removes it; one that is not there is no
    /// error. On SSDs and copy-on-write disks old blocks may survive (DESIGN §9).
    package borrowing func overwriteAndRemove(_ name: String) throws(SystemError) {
        let path = "\(path)/\(name)"
        let number = unsafe openat(
            descriptor.number, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        if number >= 0 {
            let file = Descriptor(owning: number, path: path)
            let attributes = try file.attributes()
            if attributes.isRegularFile {
                let zeros = [UInt8](repeating: 0, count: min(attributes.byteCount, 1 << 20))
                try file.write(zeros.span)
                try file.sync()
            }
        }
        try remove(name)
    }

    /// Waits until the folder's entries are on the disk.
    package borrowing func sync() throws(SystemError) { try descriptor.sync() }

    private static func isPresent(_ path: String) -> Bool {
        var info = stat()
        return unsafe lstat(path, &info) == 0
    }

    private static func checkPrivate(
        _ descriptor: borrowing Descriptor, mode: UInt32
    ) throws(FileProblem) {
        let attributes: FileAttributes
        do throws(SystemError) { attributes = try descriptor.attributes() } catch {
            throw .system(error)
        }
        guard mode == 0o700 ? attributes.isDirectory : attributes.isRegularFile else {
            throw .notPlain(path: descriptor.path)
        }
        guard attributes.owner == geteuid() else { throw .wrongOwner(path: descriptor.path) }
        guard !attributes.isOpenToOthers else {
            throw .openToOthers(path: descriptor.path, mode: mode)
        }
    }
}
