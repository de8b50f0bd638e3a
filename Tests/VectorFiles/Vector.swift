// Keystore/Vectors as tests read them. Bound by Keystore/FORMAT.md §13, last paragraph.
import Foundation

/// A vector file: what a reader should find, and the files to find it in.
package struct Vector {
    /// A line that is no vector's.
    struct Malformed: Error {}

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Keystore/Vectors")

    package static let names: [String] =
        (try? FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".txt") }.map { String($0.dropLast(4)) }.sorted()) ?? []

    private var headers: [(name: String, value: String)] = []
    private var body: [String] = []

    package init(_ name: String) throws {
        let text = try String(
            contentsOf: Vector.folder.appending(path: "\(name).txt"), encoding: .utf8)
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        while let line = lines.first, !line.isEmpty {
            guard let end = line.firstRange(of: ": ") else { throw Malformed() }
            headers.append(
                (String(line[..<end.lowerBound]), String(line[end.upperBound...])))
            lines.removeFirst()
        }
        body = lines
    }

    package subscript(_ name: String) -> String? { headers.first { $0.name == name }?.value }
    package func all(_ name: String) -> [String] {
        headers.filter { $0.name == name }.map(\.value)
    }

    /// Makes its files and folders in `data` and `state`, which are there already.
    package func unpack(below root: URL) throws {
        var lines = body[...]
        var folderModes: [(String, mode_t)] = []
        while let line = lines.popFirst() {
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 3 else { continue }
            let full = root.appending(path: words[1]).path
            let mode = mode_t(words[2], radix: 8) ?? 0
            switch words[0] {
            case "file":
                var text = ""
                while let part = lines.popFirst(), !part.isEmpty { text += part }
                guard let bytes = Data(base64Encoded: text) else { throw Malformed() }
                try bytes.write(to: URL(filePath: full))
                chmod(full, mode)
            case "link": symlink(words[2], full)
            case "folder" where words[1].contains("/"): mkdir(full, mode)
            case "folder": folderModes.append((full, mode))
            default: throw Malformed()
            }
        }
        for (full, mode) in folderModes { chmod(full, mode) }
    }

    package static func escaped(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            guard scalar != "\\", (0x20...0x7e).contains(scalar.value) else {
                let digits = String(scalar.value, radix: 16)
                return "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
            }
            return String(scalar)
        }.joined()
    }
}
