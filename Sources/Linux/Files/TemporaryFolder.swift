// A throw-away private folder for the demo: made under /tmp, removed with all that is in it.
internal import Glibc

package struct TemporaryFolder: ~Copyable {
    package let path: String

    /// Makes an empty folder (0700) with a name that nobody can guess.
    ///
    /// - Throws: `SystemError` (`create`).
    package init() throws(SystemError) {
        var template = Array("/tmp/softtoken-demo.XXXXXX".utf8CString)
        let isMade = unsafe template.withUnsafeMutableBufferPointer { buffer in
            unsafe mkdtemp(buffer.baseAddress!) != nil
        }
        guard isMade else { throw .last(.create, "/tmp") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { TemporaryFolder.remove(path, depth: 0) }

    /// Removes a folder of ours, never through a symbolic link.
    private static func remove(_ path: String, depth: Int) {
        for name in systemFolderNames(path) {
            let inner = "\(path)/\(name)"
            // 4: deeper than the two folders lie.
            if unsafe unlink(inner) != 0, depth < 4, systemLinkTarget(inner) == nil {
                remove(inner, depth: depth + 1)
            }
        }
        _ = unsafe rmdir(path)
    }
}
