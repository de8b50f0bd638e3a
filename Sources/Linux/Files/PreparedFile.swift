// Atomic replacement in two steps: write beside and fsync; then rename and fsync the folder. The
// steps are apart because an attempt prepares two files before it renames either (DESIGN §4).
// Bound by STYLE 21.
internal import Glibc

/// A new version of a file, written beside the old one and not yet in place.
///
/// Dropped before it is in place, it leaves nothing behind, unless `keep` said so.
@safe package struct PreparedFile: ~Copyable {
    /// What stands behind a name while its new version is being written. A lock makes one writer, so
    /// that a leftover of a killed one can be overwritten.
    package static let suffix = ".new"
    /// What stands behind it while only its space is taken.
    package static let reservedSuffix = ".reserved"

    let file: Descriptor
    private let folder: Descriptor
    private let name: String
    private let beside: String
    private var isPending = true

    /// Creates the file beside its place, whatever a killed writer has left there.
    ///
    /// - Parameters:
    ///   - path: how errors name it.
    ///   - begin: writes to it at once.
    /// - Throws: `SystemError` (`create`, and what `begin` throws); then nothing new is on the disk.
    init(
        _ name: String, in folder: consuming Descriptor, path: String, mode: UInt32 = 0o600,
        suffix: String = PreparedFile.suffix,
        _ begin: (borrowing Descriptor) throws(SystemError) -> Void = { _ in }
    ) throws(SystemError) {
        let beside = name + suffix
        _ = unsafe unlinkat(folder.number, beside, 0)
        let file = try Descriptor(
            opening: beside, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, in: folder.number, mode: mode,
            path: path)
        do throws(SystemError) {
            // An odd umask must not make a file that the next command refuses.
            guard fchmod(file.number, mode) == 0 else { throw .last(.create, path) }
            try begin(file)
        } catch {
            _ = unsafe unlinkat(folder.number, beside, 0)
            throw error
        }
        self.file = file
        self.folder = folder
        self.name = name
        self.beside = beside
    }

    /// Writes `bytes` beside a private file and waits until they are on the disk.
    ///
    /// - Throws: `SystemError` (`create`, `write`, `sync`); then nothing new is on the disk.
    package init(
        _ name: String, in directory: borrowing Directory, bytes: Span<UInt8>
    ) throws(SystemError) {
        try self.init(
            name, in: directory.descriptor.copy(), path: "\(directory.path)/\(name)"
        ) { (file) throws(SystemError) in
            try file.write(bytes)
            try file.sync()
        }
    }

    /// Takes the space for a later `rewrite` of the same length, without waiting for the disk.
    ///
    /// - Throws: `SystemError` (`create`, `write`); then nothing new is on the disk.
    package init(
        _ name: String, in directory: borrowing Directory, reserving bytes: Span<UInt8>
    ) throws(SystemError) {
        try self.init(
            name, in: directory.descriptor.copy(), path: "\(directory.path)/\(name)",
            suffix: PreparedFile.reservedSuffix
        ) { (file) throws(SystemError) in try file.write(bytes) }
    }

    deinit {
        if isPending { _ = unsafe unlinkat(folder.number, beside, 0) }
    }

    /// Leaves the new version beside the old one until a recovery decides, whatever becomes of this
    /// value: `Directory.putInPlace`, or `Directory.remove`.
    package mutating func keep() { isPending = false }

    /// - Throws: `SystemError` (`write`).
    borrowing func write(_ bytes: Span<UInt8>) throws(SystemError) { try file.write(bytes) }

    /// Overwrites the prepared bytes, of the same length, in place and waits for the disk. Needs no
    /// new space, so that a full disk can't stop it.
    package borrowing func rewrite(_ bytes: Span<UInt8>) throws(SystemError) {
        try file.rewind()
        try file.write(bytes)
        try file.sync()
    }

    /// Puts the new version in place of the old one.
    ///
    /// - Throws: `SystemError` (`rename`); the old version then stands.
    package mutating func replace() throws(SystemError) {
        try rename(beside, name, in: folder, path: file.path)
        isPending = false
    }

    /// Waits for the disk, puts the new version in place and waits for the folder's.
    ///
    /// - Throws: `SystemError` (`sync`, `rename`, `create`); the place is then as it was.
    mutating func place(_ policy: NamePolicy = .replace) throws(SystemError) {
        try file.sync()
        switch policy {
        case .replace: try replace()
        case .refuse:
            // link(2), unlike rename(2), never replaces.
            guard unsafe linkat(folder.number, beside, folder.number, name, 0) == 0 else {
                throw .last(.create, file.path)
            }
            _ = unsafe unlinkat(folder.number, beside, 0)
            isPending = false
        }
        try folder.sync()
    }
}

extension Directory {
    /// Replaces a file: write beside, fsync, rename, fsync the folder.
    ///
    /// - Throws: `SystemError`; the file is the old one or the new one, whole.
    package borrowing func replace(_ name: String, bytes: Span<UInt8>) throws(SystemError) {
        var prepared = try PreparedFile(name, in: self, bytes: bytes)
        try prepared.replace()
        try sync()
    }

    /// Puts a new version in place that another command has left beside the old one.
    ///
    /// - Throws: `SystemError`; the file is the old one or the new one, whole.
    package borrowing func putInPlace(_ name: String) throws(SystemError) {
        let (beside, path) = (name + PreparedFile.suffix, "\(path)/\(name)")
        // The other command may have been killed before it waited for the disk.
        try Descriptor(
            opening: beside, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, in: descriptor.number, path: path
        ).sync()
        try rename(beside, name, in: descriptor, path: path)
        try sync()
    }
}

private func rename(
    _ old: String, _ new: String, in folder: borrowing Descriptor, path: String
) throws(SystemError) {
    guard unsafe renameat(folder.number, old, folder.number, new) == 0 else {
        throw .last(.rename, path)
    }
}
