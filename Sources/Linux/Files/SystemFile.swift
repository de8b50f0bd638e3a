// Files, folders and links of the system that this program reads but does not own: /proc, /sys, /etc.
// Symbolic links are followed here, because these trees are made of them; nothing read here is a
// secret, and what can't be read in them is simply not there for the caller.
internal import Glibc

/// The bytes of a system file, at most `limit`.
///
/// - Throws: `SystemError`; `EFBIG` for a longer file.
public func readSystemFile(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
    let bytes = try readSystemFilePrefix(path, limit: limit + 1)
    guard bytes.count <= limit else { throw SystemError(.read, path, code: EFBIG) }
    return bytes
}

/// The names in a system folder, sorted; none if it can't be read.
package func systemFolderNames(_ path: String) -> [String] { systemFolderListing(path) ?? [] }

/// The names in a system folder, sorted; none if there is no such folder, nil if it can't be read.
package func systemFolderListing(_ path: String) -> [String]? {
    guard let folder = unsafe opendir(path) else {
        return errno == ENOENT || errno == ENOTDIR ? [] : nil
    }
    defer { unsafe closedir(folder) }
    var names: [String] = []
    while let entry = unsafe readdir(folder) {
        let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
}

/// Where a symbolic link leads, as it is written; nil if it isn't one or can't be read.
public func systemLinkTarget(_ path: String) -> String? { linkTarget(AT_FDCWD, path) }

/// Where a symbolic link in an open folder leads; with "" the open link itself.
func linkTarget(_ folder: Int32, _ path: String) -> String? {
    var target = [CChar](repeating: 0, count: 4096)
    let count = unsafe readlinkat(folder, path, &target, target.count)
    guard count > 0, count < target.count else { return nil }
    return String(decoding: target.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// Whether something stands at this path, be it a link that leads nowhere.
public func isSystemPathPresent(_ path: String) -> Bool {
    FileAttributes(of: path) != nil
}

/// Whether the system calls a path not there (ENOENT, ENOTDIR): what can't be looked at is there.
package func isSystemPathAbsent(_ path: String) -> Bool {
    var info = stat()
    guard unsafe lstat(path, &info) != 0 else { return false }
    return errno == ENOENT || errno == ENOTDIR
}

/// The first bytes of a system file, `limit` at most: for what can be long and says enough early.
///
/// - Throws: `SystemError`.
package func readSystemFilePrefix(
    _ path: String, limit: Int
) throws(SystemError) -> [UInt8] {
    try Descriptor(opening: path, O_RDONLY | O_NONBLOCK | O_NOCTTY).nextBytes(limit: limit)
}

/// Whether group or world may do anything with a file or folder.
package func isOpenToOthers(_ path: String) -> Bool {
    FileAttributes(of: path)?.isOpenToOthers ?? false
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
