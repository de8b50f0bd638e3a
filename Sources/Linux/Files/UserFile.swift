// Ordinary files of the user's desktop: neither private nor root's, and nothing in them is a secret.
// Bound by CONTRACT §1 (`handler`) and STYLE 21.
internal import Glibc

/// Replaces a file of the user's own: write beside, fsync, rename, fsync the folder.
///
/// The file that stands there keeps its mode, and a symbolic link to it stays one, because people
/// keep such files under version control; a new one is 0600.
/// - Throws: `SystemError`; the file is the old one or the new one, whole.
public func replaceUserFile(_ path: String, bytes: [UInt8]) throws(SystemError) {
    let target = resolved(path)
    let mode = FileAttributes(of: target).map { $0.mode & 0o777 }
    var file = try NewFile(target, mode: mode ?? 0o600)
    try file.write(bytes.span)
    try file.place()
}

/// Removes a file of the user's own and waits for the disk.
///
/// - Returns: false if there was none.
/// - Throws: `SystemError` (`remove`, `sync`).
public func removeUserFile(_ path: String) throws(SystemError) -> Bool {
    guard unsafe unlink(path) == 0 else {
        if errno == ENOENT || errno == ENOTDIR { return false }
        throw .last(.remove, path)
    }
    try openFolder(split(path).folder).sync()
    return true
}

/// Makes a folder and its parents where they are missing, 0700, as the XDG Base Directory
/// Specification wants them.
///
/// - Parameter path: an absolute path.
/// - Throws: `SystemError` (`create`).
public func makeUserFolders(_ path: String) throws(SystemError) {
    var part = ""
    for name in path.split(separator: "/") {
        part += "/" + name
        guard unsafe mkdir(part, 0o700) == 0 || errno == EEXIST else {
            throw .last(.create, part)
        }
    }
}

/// The file that a path leads to; the path itself where nothing stands yet.
private func resolved(_ path: String) -> String {
    guard let real = unsafe realpath(path, nil) else { return path }
    defer { unsafe free(real) }
    return unsafe String(cString: real)
}
