// An advisory lock on a file of its own: flock(2), which the kernel drops when the process ends,
// however it ends. Bound by DESIGN §1.8.
internal import Glibc

package enum LockFile {
    /// How long to wait between two tries, microseconds.
    private static let pauseMicroseconds: UInt32 = 5_000

    /// Opens the lock file, creating it (0600) where it is missing.
    package static func open(
        _ name: String, in folder: borrowing Directory
    ) throws(FileProblem) -> Descriptor {
        if let file = try folder.open(name, flags: O_RDWR) { return file }
        let path = "\(folder.path)/\(name)"
        let number = unsafe openat(
            folder.descriptor.number, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard number >= 0 else { throw .system(.last(.create, path)) }
        return Descriptor(owning: number, path: path)
    }

    /// Opens a folder anew, so that it can be locked itself: unlike a name in it, nobody can exchange
    /// it under those who have it open.
    package static func open(_ folder: borrowing Directory) throws(FileProblem) -> Descriptor {
        let number = unsafe openat(
            folder.descriptor.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { throw .system(.last(.open, folder.path)) }
        return Descriptor(owning: number, path: folder.path)
    }

    /// Takes the lock, waiting for others to end.
    ///
    /// - Parameter whenWaiting: called once when it was not free for a second.
    /// - Returns: whether it was had within `patienceSeconds`.
    package static func acquire(
        _ file: borrowing Descriptor, patienceSeconds: Int, whenWaiting: () -> Void = {}
    ) throws(SystemError) -> Bool {
        var waited = 0
        while flock(file.number, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else { throw .last(.lock, file.path) }
            guard waited < patienceSeconds * 1_000_000 else { return false }
            _ = usleep(pauseMicroseconds)
            waited += Int(pauseMicroseconds)
            if waited == 1_000_000 { whenWaiting() }
        }
        return true
    }

    /// Whether the path still names the open file.
    package static func isSame(_ file: borrowing Descriptor, path: String) -> Bool {
        var info = stat()
        guard unsafe lstat(path, &info) == 0,
            let mine = try? file.attributes()
        else { return false }
        return FileAttributes(info).isSameFile(as: mine)
    }
}
