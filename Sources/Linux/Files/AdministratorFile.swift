// Files that root writes and everybody reads, in /etc/softtoken: plain files of root that nobody
// else can write. Bound by DESIGN §6 (the marker) and CONTRACT §4 (policy, issuers).
internal import Glibc

/// The bytes of an administrator's file.
///
/// - Parameter owner: root; another one only in tests that don't run as root.
/// - Returns: nil if there is none.
/// - Throws: `FileProblem`.
package func readAdministratorFile(
    _ path: String, limit: Int, owner: UInt32 = 0
) throws(FileProblem) -> [UInt8]? {
    let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
    guard let file = try Descriptor.open(ifThere: path, flags) else { return nil }
    try file.checkAdministrators(.file, owner: owner)
    return try file.contents(limit: limit)
}

/// Replaces a file (0644) of an administrator's folder, which is created (0755) if it is missing:
/// write beside, fsync, rename, fsync the folder.
///
/// - Parameter owner: as in `readAdministratorFile`.
/// - Throws: `FileProblem`; the file is the old one or the new one, whole.
package func replaceAdministratorFile(
    _ name: String, in folder: String, bytes: [UInt8], owner: UInt32 = 0
) throws(FileProblem) {
    if unsafe mkdir(folder, 0o755) == 0 {
        // An odd umask must not hide the folder from those who read it.
        guard unsafe chmod(folder, 0o755) == 0 else { throw .system(.last(.create, folder)) }
    } else if errno != EEXIST {
        throw .system(.last(.create, folder))
    }
    guard let place = try administratorFolder(folder, owner: owner) else {
        throw .system(SystemError(.create, folder, code: ENOENT))
    }
    var file = try problem(
        try PreparedFile(name, in: place.copy(), path: "\(folder)/\(name)", mode: 0o644))
    try problem(try file.write(bytes.span))
    try problem(try file.place())
}

/// Removes a file of an administrator's folder, whatever it is but a folder, and waits for the disk.
///
/// - Parameter owner: as in `readAdministratorFile`.
/// - Returns: false if there was none.
/// - Throws: `FileProblem`.
package func removeAdministratorFile(
    _ name: String, in folder: String, owner: UInt32 = 0
) throws(FileProblem) -> Bool {
    guard let place = try administratorFolder(folder, owner: owner) else { return false }
    guard unsafe unlinkat(place.number, name, 0) == 0 else {
        if errno == ENOENT { return false }
        throw .system(.last(.remove, "\(folder)/\(name)"))
    }
    try problem(try place.sync())
    return true
}

/// A folder of root's that everybody can read; nil if there is none.
private func administratorFolder(
    _ path: String, owner: UInt32
) throws(FileProblem) -> Descriptor? {
    let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW
    guard let folder = try Descriptor.open(ifThere: path, flags) else { return nil }
    try folder.checkAdministrators(.folder, owner: owner)
    return folder
}

extension Descriptor {
    fileprivate borrowing func checkAdministrators(
        _ kind: FileKind, owner: UInt32
    ) throws(FileProblem) {
        guard try check(kind, owner: owner).mode & 0o022 == 0 else {
            throw .writableByOthers(path: path)
        }
    }
}
