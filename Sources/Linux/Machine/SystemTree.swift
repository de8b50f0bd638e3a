// How the system is seen: four questions about absolute paths, and two about the process. The program
// has one answerer, the system itself; tests answer for made-up machines. No option and no variable
// can point the program elsewhere. Bound by DESIGN §6 (last paragraph) and STYLE 19.

/// What reading a file gave.
package enum FileReading: Equatable, Sendable {
    case bytes([UInt8])
    case absent
    /// It is there, and this user can't read it.
    case unreadable

    package var bytes: [UInt8]? {
        guard case .bytes(let bytes) = self else { return nil }
        return bytes
    }
}

/// The files that tell one device from another.
package struct SystemTree: Sendable {
    /// The first bytes of a file, up to a limit.
    package var contents: @Sendable (_ path: String, _ limit: Int) -> FileReading
    /// The names in a folder, sorted; none if there is no such folder, nil if it can't be read.
    package var listing: @Sendable (_ path: String) -> [String]?
    /// Where a symbolic link leads, as written.
    package let link: @Sendable (_ path: String) -> String?
    package let isPresent: @Sendable (_ path: String) -> Bool
    package let namespace: @Sendable (_ kind: NamespaceKind) -> NamespaceReading
    /// Whether a filter of system calls came with this process; nil if it can't be told.
    package let isFiltered: @Sendable () -> Bool?

    package static let real = SystemTree(
        contents: { path, limit in
            if ProcessFiles.has(path), !areMountsRoots {
                return ProcessFiles.contents(path, limit: limit)
            }
            do throws(SystemError) {
                return .bytes(try readSystemFilePrefix(path, limit: limit))
            } catch {
                return error.isNotFound ? .absent : .unreadable
            }
        },
        listing: systemFolderListing, link: systemLinkTarget, isPresent: isSystemPathPresent,
        namespace: readNamespace, isFiltered: { Sandbox.wasFiltered })

    /// Whether nobody but root can have mounted anything over what is read here. The process's
    /// namespaces don't change: asked once.
    static let areMountsRoots = readNamespace(.user) == .initial

    package func bytes(_ path: String, limit: Int = 256) -> [UInt8]? {
        contents(path, limit).bytes
    }

    /// The names in a folder, sorted; none if there is no such folder, or it can't be read.
    package func names(_ path: String) -> [String] { listing(path) ?? [] }

    /// A short file's text without white space at its end; "" if it can't be read.
    package func line(_ path: String, limit: Int = 256) -> String {
        guard let bytes = bytes(path, limit: limit) else { return "" }
        return String(decoding: trimmed(bytes), as: UTF8.self)
    }

    /// The name in a folder of links whose link ends in this last component.
    func name(in folder: String, linkingTo last: String) -> String? {
        names(folder).first { name in
            link("\(folder)/\(name)").map { lastComponent($0) } == last
        }
    }
}

/// Bytes without NUL and ASCII white space at both ends.
package func trimmed(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
    let isBlank = { (byte: UInt8) in byte == 0 || byte.isWhiteSpace }
    guard let first = bytes.firstIndex(where: { !isBlank($0) }),
        let last = bytes.lastIndex(where: { !isBlank($0) })
    else { return [] }
    return bytes[first...last]
}

package func lastComponent(_ path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
}
