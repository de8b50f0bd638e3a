// Files of the system that this program reads but does not own: /proc, /sys, /etc. Symbolic links
// are followed here, because these trees are made of them; nothing read here is a secret.
internal import Glibc

/// The bytes of a system file, at most `limit`.
///
/// - Throws: `SystemError`; `EFBIG` for a longer file.
public func readSystemFile(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
    let bytes = try readSystemFilePrefix(path, limit: limit + 1)
    guard bytes.count <= limit else { throw SystemError(.read, path, code: EFBIG) }
    return bytes
}

extension Descriptor {
    /// Up to `count` bytes from `offset`.
    ///
    /// - Throws: `SystemError` (`read`).
    package borrowing func bytes(at offset: Int, count: Int) throws(SystemError) -> [UInt8] {
        guard lseek(number, off_t(offset), SEEK_SET) >= 0 else { throw .last(.read, path) }
        return try nextBytes(limit: count)
    }

    /// Goes back to the first byte.
    ///
    /// - Throws: `SystemError` (`read`).
    package borrowing func rewind() throws(SystemError) {
        guard lseek(number, 0, SEEK_SET) == 0 else { throw .last(.read, path) }
    }

    /// The next bytes, at most `limit`; fewer at the end.
    ///
    /// - Throws: `SystemError` (`read`).
    package borrowing func nextBytes(limit: Int) throws(SystemError) -> [UInt8] {
        var failure: SystemError?
        // Not filled with zeros first: a limit is often far above what a file has.
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, filled in
            do throws(SystemError) {
                filled = try unsafe read(into: UnsafeMutableRawBufferPointer(buffer))
            } catch { failure = error }
        }
        if let failure { throw failure }
        return bytes
    }
}
