// What stands in the place of a file that has to be one user's alone: checked by descriptor at every
// open, never through a symbolic link. Bound by DESIGN §3 (last paragraph).
internal import Glibc

/// Why a private file or folder, or one of the administrator's, can't be used.
package enum FileProblem: Error, Equatable, Sendable {
    /// The system said no.
    case system(SystemError)
    /// It belongs to another user than this one; an administrator's, to another than root.
    case wrongOwner(path: String)
    /// An administrator's: its group or others may write it.
    case writableByOthers(path: String)
    /// Others may read or write it; `mode` is what it should be (0o600 or 0o700).
    case openToOthers(path: String, mode: UInt32)
    /// It is a symbolic link, a folder where a file belongs, or the other way round.
    case notPlain(path: String)
    /// It is longer than such a file can be.
    case tooLong(path: String)
}

/// A step in this error (STYLE 15).
func problem<R: ~Copyable>(
    _ step: @autoclosure () throws(SystemError) -> R
) throws(FileProblem) -> R {
    do throws(SystemError) { return try step() } catch { throw .system(error) }
}

/// Whose files are private to this process.
package var userID: UInt32 { geteuid() }
package var isRunByRoot: Bool { userID == 0 }

/// What stands at an absolute path, or at the lowest of the folders above it that is there and can be
/// looked at; and whose it is.
func lowest(of path: String) -> (path: String, owner: UInt32)? {
    var part = path[...]
    while !part.isEmpty {
        if let found = FileAttributes(of: String(part)) { return (String(part), found.owner) }
        part = part[..<(part.lastIndex(of: "/") ?? part.startIndex)]
    }
    return nil
}

/// What belongs in a place.
enum FileKind { case file, folder }

extension Descriptor {
    /// Opens what may not be there.
    ///
    /// - Returns: nil where the system says that nothing stands there.
    /// - Throws: `FileProblem` (`notPlain`, `system`).
    static func open(
        ifThere name: String, _ flags: Int32, in folder: Int32 = AT_FDCWD, path: String? = nil
    ) throws(FileProblem) -> Descriptor? {
        do throws(SystemError) {
            return try Descriptor(opening: name, flags, in: folder, path: path)
        } catch {
            guard error.code == ENOTDIR else {
                if error.code == ENOENT { return nil }
                throw error.isNotPlain ? .notPlain(path: error.subject) : .system(error)
            }
            // It is none itself, or lies beneath something that is none.
            guard FileAttributes(of: name, in: folder) != nil else { return nil }
            throw .notPlain(path: error.subject)
        }
    }

    /// Checks that it is what belongs there, and whose.
    borrowing func check(
        _ kind: FileKind, owner: UInt32
    ) throws(FileProblem) -> FileAttributes {
        let found = try problem(try attributes())
        guard kind == .folder ? found.isDirectory : found.isRegularFile else {
            throw .notPlain(path: path)
        }
        guard found.owner == owner else { throw .wrongOwner(path: path) }
        return found
    }

    /// Checks that it is this user's alone.
    borrowing func checkPrivate(_ kind: FileKind) throws(FileProblem) {
        guard try !check(kind, owner: geteuid()).isOpenToOthers else {
            throw .openToOthers(path: path, mode: kind == .folder ? 0o700 : 0o600)
        }
    }

    /// All of its bytes.
    ///
    /// - Throws: `FileProblem` (`tooLong`, `system`).
    borrowing func contents(limit: Int) throws(FileProblem) -> [UInt8] {
        let count = try problem(try attributes()).byteCount
        guard count <= limit else { throw .tooLong(path: path) }
        return try problem(try nextBytes(limit: count))
    }
}

/// Opens a file of secrets that the user named for reading: a plain file, this user's, closed to
/// others.
///
/// - Throws: `FileProblem`.
package func openPrivateFile(_ path: String) throws(FileProblem) -> Descriptor {
    // Without O_NONBLOCK a named pipe would hold the program up before it is told apart.
    let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
    let file: Descriptor
    do throws(SystemError) { file = try Descriptor(opening: path, flags) } catch {
        throw error.isNotPlain ? .notPlain(path: path) : .system(error)
    }
    try file.checkPrivate(.file)
    return file
}
