// A private file that only grows: the audit log. What could not be written whole is cut off again,
// so that a failure leaves the file as it was. Bound by STYLE 21 and Keystore/FORMAT.md §10.
internal import CLinux
internal import Glibc

package struct AppendFile: ~Copyable {
    private let file: Descriptor

    /// Opens a file for appending, creating it (0600) where it is missing.
    ///
    /// - Throws: `FileProblem`.
    package init(_ name: String, in folder: borrowing Directory) throws(FileProblem) {
        if let file = try folder.open(name, flags: O_RDWR | O_APPEND) {
            self.file = file
        } else {
            file = try problem(try folder.create(name, O_RDWR | O_APPEND | O_EXCL))
        }
    }

    /// The length in bytes.
    package func byteCount() throws(SystemError) -> Int { try file.attributes().byteCount }

    /// Up to `count` bytes from `offset`.
    package func bytes(at offset: Int, count: Int) throws(SystemError) -> [UInt8] {
        try file.bytes(at: offset, count: count)
    }

    /// Appends `bytes` and waits for the disk; on failure cuts the file to what it was.
    package func append(_ bytes: [UInt8]) throws(SystemError) {
        let before = try byteCount()
        do throws(SystemError) {
            try file.write(bytes.span)
            try file.sync()
        } catch {
            try? cut(to: before)
            throw error
        }
    }

    /// Takes the space for `byteCount` more bytes, without a change of the file's length.
    ///
    /// - Throws: `SystemError` (`write`) where there is none, or the disk fails. A file system that
    ///   can't take space ahead is no error: the append itself will tell.
    package func reserve(_ byteCount: Int) throws(SystemError) {
        let end = try self.byteCount()
        while st_reserve_space(file.number, end, byteCount) != 0 {
            let error = SystemError.last(.write, file.path)
            if error.code == EINTR { continue }
            guard error.isInputOutput || error.code == EFBIG else { return }
            throw error
        }
    }

    /// Gives back what was taken and not used: the last free block may be another file's.
    package func release() {
        if let end = try? byteCount() { try? cut(to: end) }
    }

    /// Cuts the file to `byteCount` bytes.
    package func cut(to byteCount: Int) throws(SystemError) {
        guard ftruncate(file.number, off_t(byteCount)) == 0 else { throw .last(.write, file.path) }
    }
}
