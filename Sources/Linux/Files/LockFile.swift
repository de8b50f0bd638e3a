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
        return try problem(try folder.create(name, O_RDWR))
    }

    /// Opens a folder anew, so that it can be locked itself: unlike a name in it, nobody can exchange
    /// it under those who have it open.
    package static func open(_ folder: borrowing Directory) throws(FileProblem) -> Descriptor {
        try problem(
            try Descriptor(
                opening: ".", O_RDONLY | O_DIRECTORY, in: folder.descriptor.number,
                path: folder.path))
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
        guard let found = FileAttributes(of: path), let mine = try? file.attributes() else {
            return false
        }
        return found.isSameFile(as: mine)
    }
}

/// Takes the lock of a file that the user named (`FILE.lock`, never removed), waiting for others to
/// end.
///
/// - Returns: the lock, held until it is dropped; nil if it wasn't free within `patienceSeconds`.
/// - Throws: `SystemError` (`create`, `lock`).
package func lockNamedFile(
    _ path: String, patienceSeconds: Int
) throws(SystemError) -> Descriptor? {
    let path = path + ".lock"
    while true {
        let file = try Descriptor(opening: path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
        guard try LockFile.acquire(file, patienceSeconds: patienceSeconds) else { return nil }
        // Somebody removed the file while we waited: another may hold the new one.
        if LockFile.isSame(file, path: path) { return file }
    }
}
