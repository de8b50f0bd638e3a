// How this module sees the system: four questions about absolute paths and one about
// namespaces. The program has one answerer, the system itself; tests answer for made-up machines.
// No option and no variable can point the program elsewhere. Bound by DESIGN §6 (last paragraph) and STYLE 19.
internal import Linux

/// What reading a file gave.
enum FileReading: Equatable {
    case bytes([UInt8])
    case absent
    /// It is there, and this user can't read it.
    case unreadable

    var bytes: [UInt8]? {
        guard case .bytes(let bytes) = self else { return nil }
        return bytes
    }
}

/// The files that tell one device from another.
struct SystemTree: Sendable {
    /// The first bytes of a file, up to a limit.
    let contents: @Sendable (_ path: String, _ limit: Int) -> FileReading
    /// The names in a folder, sorted; none if there is no such folder.
    let names: @Sendable (_ path: String) -> [String]
    /// Where a symbolic link leads, as written.
    let link: @Sendable (_ path: String) -> String?
    /// Whether something stands at a path.
    let isPresent: @Sendable (_ path: String) -> Bool
    /// One of this process's namespaces.
    let namespace: @Sendable (_ kind: NamespaceKind) -> NamespaceReading

    /// This device.
    static let real = SystemTree(
        contents: { path, limit in
            do throws(SystemError) {
                return .bytes(try readSystemFilePrefix(path, limit: limit))
            } catch {
                return error.isNotFound ? .absent : .unreadable
            }
        },
        names: systemFolderNames, link: systemLinkTarget, isPresent: isSystemPathPresent,
        namespace: readNamespace)

    /// A short file's bytes, or nil.
    func bytes(_ path: String, limit: Int = 256) -> [UInt8]? { contents(path, limit).bytes }

    /// A short file's text without white space at its end; "" if it can't be read.
    func line(_ path: String, limit: Int = 256) -> String {
        guard let bytes = bytes(path, limit: limit) else { return "" }
        return String(decoding: trimmed(bytes), as: UTF8.self)
    }
}
