// An open file, closed exactly once. Everything that reads or writes bytes goes through here, so
// that short reads, EINTR and errors are handled in one place. Bound by STYLE 21.
internal import CLinux
internal import Glibc

/// An open file descriptor that closes itself.
@safe public struct Descriptor: ~Copyable, Sendable {
    public let number: Int32
    /// How errors name it.
    public let path: String

    /// Takes over an open descriptor.
    package init(owning number: Int32, path: String) {
        self.number = number
        self.path = path
    }

    /// Opens or creates a file; no program that is started inherits it.
    ///
    /// - Parameters:
    ///   - folder: where a relative name begins.
    ///   - path: how errors name it.
    /// - Throws: `SystemError` (`open`; `create` where the flags create).
    init(
        opening name: String, _ flags: Int32, in folder: Int32 = AT_FDCWD, mode: UInt32 = 0,
        path: String? = nil
    ) throws(SystemError) {
        let path = path ?? name
        let number = unsafe openat(folder, name, flags | O_CLOEXEC, mode)
        guard number >= 0 else { throw .last(flags & O_CREAT == 0 ? .open : .create, path) }
        self.init(owning: number, path: path)
    }

    deinit { _ = close(number) }

    /// Fills `buffer` from the current offset and returns how many bytes there were before the end.
    ///
    /// - Throws: `SystemError` (`read`).
    package borrowing func read(
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(SystemError) -> Int {
        var filled = 0
        while filled < buffer.count {
            guard let base = buffer.baseAddress else { break }
            let count = unsafe Glibc.read(number, base + filled, buffer.count - filled)
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw .last(.read, path)
            }
            filled += count
        }
        return filled
    }

    /// Writes all of `bytes`.
    ///
    /// - Throws: `SystemError` (`write`).
    public borrowing func write(_ bytes: Span<UInt8>) throws(SystemError) {
        try unsafe bytes.withUnsafeBufferPointer { (buffer) throws(SystemError) in
            var written = 0
            while written < buffer.count {
                guard let base = buffer.baseAddress else { break }
                let count = unsafe Glibc.write(number, base + written, buffer.count - written)
                if count < 0 {
                    if errno == EINTR { continue }
                    throw .last(.write, path)
                }
                written += count
            }
        }
    }

    /// Waits until the file's bytes are on the disk.
    ///
    /// - Throws: `SystemError` (`sync`).
    package borrowing func sync() throws(SystemError) {
        guard fsync(number) == 0 else { throw .last(.sync, path) }
    }

    /// The same without the file's times: cheaper, where its length stays what it was.
    ///
    /// - Throws: `SystemError` (`sync`).
    package borrowing func syncData() throws(SystemError) {
        guard fdatasync(number) == 0 else { throw .last(.sync, path) }
    }

    /// The file's length, owner, mode and identity.
    package borrowing func attributes() throws(SystemError) -> FileAttributes {
        var info = stat()
        guard unsafe fstat(number, &info) == 0 else { throw .last(.inspect, path) }
        return FileAttributes(info)
    }
}

/// What fstat(2) tells of a file.
package struct FileAttributes: Equatable, Sendable {
    package let byteCount: Int
    package let owner: UInt32
    package let mode: UInt32
    package let device: UInt64
    package let inode: UInt64
    /// How many names it has: hard links.
    package let nameCount: Int
    /// When it was last changed, nanoseconds since 1970: its bytes, mode, owner or names.
    package let changedUnixNanoseconds: Int64

    init(_ info: stat) {
        byteCount = Int(info.st_size)
        owner = info.st_uid
        mode = info.st_mode
        device = UInt64(info.st_dev)
        inode = UInt64(info.st_ino)
        nameCount = Int(info.st_nlink)
        changedUnixNanoseconds =
            Int64(info.st_ctim.tv_sec) &* 1_000_000_000 &+ Int64(info.st_ctim.tv_nsec)
    }

    /// What stands at a path, a symbolic link itself; nil where nothing does, or it can't be told.
    package init?(of path: String, in folder: Int32 = AT_FDCWD) {
        var info = stat()
        guard unsafe fstatat(folder, path, &info, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
        self.init(info)
    }

    package var isRegularFile: Bool { mode & UInt32(S_IFMT) == UInt32(S_IFREG) }
    package var isDirectory: Bool { mode & UInt32(S_IFMT) == UInt32(S_IFDIR) }
    /// Whether anyone but the owner may read, write or search it.
    package var isOpenToOthers: Bool { mode & 0o077 != 0 }
    /// Whether both are of one file, whatever it is called.
    package func isSameFile(as other: FileAttributes) -> Bool {
        device == other.device && inode == other.inode
    }
}
