// What one process hands to another that a third one starts: a FIFO in a folder of this user's alone,
// whose name goes as soon as it was opened. Nothing of it is ever on a disk, and nothing stands in
// anybody's arguments. Bound by DESIGN §8 and STYLE 10.
internal import Glibc

/// A pipe with a name (fifo(7)), to be read once.
///
/// Dropped, it takes the name away.
@safe package struct NamedPipe: ~Copyable {
    package let path: String
    private var isThere = true

    /// Makes the pipe (0600).
    ///
    /// - Parameter folder: a folder of this user's that nobody else may enter.
    /// - Throws: `SystemError` (`create`; `EACCES` for another folder).
    package init(_ name: String, in folder: String) throws(SystemError) {
        let path = "\(folder)/\(name)"
        guard let found = FileAttributes(of: folder) else { throw .last(.create, path) }
        guard found.isDirectory, !found.isOpenToOthers, found.owner == geteuid() else {
            throw SystemError(.create, path, code: EACCES)
        }
        guard unsafe mkfifo(path, 0o600) == 0 else { throw .last(.create, path) }
        self.path = path
    }

    deinit { if isThere { _ = unsafe unlink(path) } }

    /// Waits until somebody reads, takes the name away and writes.
    ///
    /// - Parameters:
    ///   - patienceSeconds: how long to wait at most.
    ///   - isAwaited: asked again and again whether somebody may still come.
    /// - Returns: whether somebody read.
    /// - Throws: `SystemError` (`open`, `write`).
    package mutating func hand(
        _ bytes: Span<UInt8>, patienceSeconds: Int, while isAwaited: () -> Bool
    ) throws(SystemError) -> Bool {
        let pause: Int32 = 20
        for _ in 0..<(patienceSeconds * 1000 / Int(pause)) {
            // Without a reader it is ENXIO; a writer that waits in open(2) could not give up.
            let number = unsafe open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW)
            if number >= 0 {
                let writing = Descriptor(owning: number, path: path)
                _ = unsafe unlink(path)
                isThere = false
                _ = fcntl(number, F_SETFL, 0)
                try writing.write(bytes)
                return true
            }
            guard errno == ENXIO || errno == EINTR else { throw .last(.open, path) }
            guard isAwaited() else { return false }
            _ = poll(nil, 0, pause)
        }
        return false
    }
}
