// The two private folders and the files in them: opened by descriptor, never through a symbolic
// link, owner and mode checked at every open. Bound by DESIGN §3 (last paragraph) and STYLE 21.
internal import Glibc

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
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW
        guard let folder = try openOwn(path, flags) else { return nil }
        try folder.checkPrivate(.folder)
        return Directory(folder)
    }

    /// Opens the folder, creating it (0700) and its parents (0700) where they are missing: below a
    /// folder of this user or of root's, so that root makes none in somebody's home, whom it would
    /// keep out.
    ///
    /// - Throws: `FileProblem` (`wrongOwner` for the folder above it).
    package static func openOrCreate(_ path: String) throws(FileProblem) -> Directory {
        if let directory = try open(path) { return directory }
        try checkPlace(path)
        try problem(try makeUserFolders(path))
        guard let directory = try open(path) else {
            throw .system(SystemError(.create, path, code: ENOENT))
        }
        return directory
    }

    /// Checks that a folder that is missing may be made.
    ///
    /// - Throws: `FileProblem` (`wrongOwner` for the folder above it).
    package static func checkPlace(_ path: String) throws(FileProblem) {
        guard let above = lowest(of: path), above.owner != userID, above.owner != 0 else { return }
        throw .wrongOwner(path: above.path)
    }

    /// Opens a private file for reading.
    ///
    /// - Returns: nil if there is none.
    /// - Throws: `FileProblem`; a file of another owner, open to others, or not a plain file.
    package borrowing func open(
        _ name: String, flags: Int32 = 0
    ) throws(FileProblem) -> Descriptor? {
        let file = try Directory.openOwn(
            name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, in: descriptor.number,
            path: "\(path)/\(name)")
        guard let file else { return nil }
        try file.checkPrivate(.file)
        return file
    }

    /// Opens what is to be this user's own; where that is not permitted, says whose it is.
    private static func openOwn(
        _ name: String, _ flags: Int32, in folder: Int32 = AT_FDCWD, path: String? = nil
    ) throws(FileProblem) -> Descriptor? {
        do throws(FileProblem) {
            return try Descriptor.open(ifThere: name, flags, in: folder, path: path)
        } catch {
            guard case .system(let failure) = error, failure.code == EACCES,
                let found = lowest(of: failure.subject), found.owner != userID
            else { throw error }
            throw .wrongOwner(path: found.path)
        }
    }

    /// Creates a private file (0600).
    borrowing func create(_ name: String, _ flags: Int32) throws(SystemError) -> Descriptor {
        try Descriptor(
            opening: name, flags | O_CREAT | O_NOFOLLOW, in: descriptor.number, mode: 0o600,
            path: "\(path)/\(name)")
    }

    /// The bytes of a private file that holds no secret.
    ///
    /// - Returns: nil if there is none.
    /// - Throws: `FileProblem`; `tooLong` beyond `limit` bytes.
    package borrowing func contents(
        of name: String, limit: Int
    ) throws(FileProblem) -> [UInt8]? {
        guard let file = try open(name) else { return nil }
        return try file.contents(limit: limit)
    }

    /// Whether the name exists here, whatever it is.
    package borrowing func contains(_ name: String) -> Bool {
        FileAttributes(of: name, in: descriptor.number) != nil
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
        guard let found = FileAttributes(of: name, in: descriptor.number), !found.isRegularFile
        else { return }
        try remove(name)
    }

    /// Overwrites a file's bytes, waits for the disk, and removes it; one that is not there is no
    /// error. On SSDs and copy-on-write disks old blocks may survive (DESIGN §9).
    package borrowing func overwriteAndRemove(_ name: String) throws(SystemError) {
        if let file = openToOverwrite(name) { try file.overwrite() }
        try remove(name)
    }

    /// Replaces a file whose old bytes must not stay: they are overwritten once the new ones are in
    /// place, as far as `overwriteAndRemove` can.
    ///
    /// - Throws: `SystemError`; the file is the old one or the new one, whole.
    package borrowing func replaceErasing(
        _ name: String, bytes: Span<UInt8>
    ) throws(SystemError) {
        let old = openToOverwrite(name)
        try replace(name, bytes: bytes)
        if let old { try old.overwrite() }
    }

    private borrowing func openToOverwrite(_ name: String) -> Descriptor? {
        try? Descriptor(
            opening: name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK, in: descriptor.number,
            path: "\(path)/\(name)")
    }

    /// Waits until the folder's entries are on the disk.
    package borrowing func sync() throws(SystemError) { try descriptor.sync() }
}

extension Descriptor {
    /// Overwrites a plain file's first MiB with zeros and waits for the disk; anything else is left.
    fileprivate borrowing func overwrite() throws(SystemError) {
        let attributes = try attributes()
        guard attributes.isRegularFile else { return }
        let zeros = [UInt8](repeating: 0, count: min(attributes.byteCount, 1 << 20))
        try write(zeros.span)
        try sync()
    }
}
