// Atomic replacement in two steps: write beside and fsync; then rename and fsync the folder. The
// steps are apart because an attempt prepares two files before it renames either (DESIGN §4).
// Bound by STYLE 21.
internal import Glibc

/// A new version of a private file, written beside the old one and on the disk, not yet in place.
///
/// Dropped without `replace`, it leaves nothing behind, unless `keep` said so.
@safe package struct PreparedFile: ~Copyable {
    /// What stands behind a name while its new version is being written. The keystore's lock makes
    /// one writer, so that a leftover of a killed one can be overwritten.
    package static let suffix = ".new"
    /// What stands behind it while only its space is taken.
    package static let reservedSuffix = ".reserved"

    private let descriptor: Descriptor
    private let folder: Int32
    private let name: String
    private let beside: String
    private var isPending = true

    /// Writes `bytes` beside `name` and waits until they are on the disk.
    ///
    /// - Throws: `SystemError` (`create`, `write`, `sync`); then nothing new is on the disk.
    package init(
        _ name: String, in directory: borrowing Directory, bytes: Span<UInt8>
    ) throws(SystemError) {
        try self.init(name, in: directory, suffix: PreparedFile.suffix, bytes: bytes, waits: true)
    }

    /// Takes the space for a later `rewrite` of the same length, without waiting for the disk.
    ///
    /// - Throws: `SystemError` (`create`, `write`); then nothing new is on the disk.
    package init(
        _ name: String, in directory: borrowing Directory, reserving bytes: Span<UInt8>
    ) throws(SystemError) {
        try self.init(
            name, in: directory, suffix: PreparedFile.reservedSuffix, bytes: bytes, waits: false)
    }

    private init(
        _ name: String, in directory: borrowing Directory, suffix: String, bytes: Span<UInt8>,
        waits: Bool
    ) throws(SystemError) {
        let beside = name + suffix
        let path = "\(directory.path)/\(name)"
        let folder = directory.descriptor.number
        let descriptor = try createBeside(beside, in: folder, mode: 0o600, path: path)
        do throws(SystemError) {
            try descriptor.write(bytes)
            if waits { try descriptor.sync() }
        } catch {
            _ = unsafe unlinkat(folder, beside, 0)
            throw error
        }
        self.descriptor = descriptor
        self.folder = folder
        self.name = name
        self.beside = beside
    }

    deinit {
        if isPending { _ = unsafe unlinkat(folder, beside, 0) }
    }

    /// Leaves the new version beside the old one until a recovery decides, whatever becomes of this
    /// value: `Directory.putInPlace`, or `Directory.remove`.
    package mutating func keep() { isPending = false }

    /// Overwrites the prepared bytes, of the same length, in place and waits for the disk. Needs no
    /// new space, so that a full disk can't stop it.
    package borrowing func rewrite(_ bytes: Span<UInt8>) throws(SystemError) {
        guard lseek(descriptor.number, 0, SEEK_SET) == 0 else {
            throw .last(.write, descriptor.path)
        }
        try descriptor.write(bytes)
        try descriptor.sync()
    }

    /// Puts the new version in place.
    ///
    /// - Throws: `SystemError` (`rename`); the old version then stands.
    package mutating func replace() throws(SystemError) {
        guard unsafe renameat(folder, beside, folder, name) == 0 else {
            throw .last(.rename, descriptor.path)
        }
        isPending = false
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

    /// Replaces a file whose old bytes must not stay: they are overwritten once the new ones are in
    /// place. On SSDs and copy-on-write disks old blocks may survive (DESIGN §9).
    ///
    /// - Throws: `SystemError`; the file is the old one or the new one, whole.
    package borrowing func replaceErasing(
        _ name: String, bytes: Span<UInt8>
    ) throws(SystemError) {
        let old = unsafe openat(
            descriptor.number, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard old >= 0 else { return try replace(name, bytes: bytes) }
        let file = Descriptor(owning: old, path: "\(path)/\(name)")
        let attributes = try file.attributes()
        try replace(name, bytes: bytes)
        guard attributes.isRegularFile else { return }
        let zeros = [UInt8](repeating: 0, count: min(attributes.byteCount, 1 << 20))
        try file.write(zeros.span)
        try file.sync()
    }

    /// Puts a new version in place that another command has left beside the old one.
    ///
    /// - Throws: `SystemError`; the file is the old one or the new one, whole.
    package borrowing func putInPlace(_ name: String) throws(SystemError) {
        let beside = name + PreparedFile.suffix
        let path = "\(path)/\(name)"
        let number = unsafe openat(
            descriptor.number, beside, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard number >= 0 else { throw .last(.open, path) }
        // The other command may have been killed before it waited for the disk.
        try Descriptor(owning: number, path: path).sync()
        guard unsafe renameat(descriptor.number, beside, descriptor.number, name) == 0 else {
            throw .last(.rename, path)
        }
        try sync()
    }
}
