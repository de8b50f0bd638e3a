// Published vectors that lie beside the package (../shared/vectors): where the folder is missing the
// tests say so in one line and the package still tests itself with the rows it holds.
import Foundation
import Testing

@testable import Keystore

/// The package's root, found from this file.
let packageRoot = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

enum SharedVectors {
    private static let folder = packageRoot.appending(path: "../shared/vectors").standardized

    static let areThere: Bool = {
        let isThere = FileManager.default.fileExists(atPath: folder.path)
        if !isThere { print("no published vectors at \(folder.path): those tests are skipped") }
        return isThere
    }()

    /// The test cases of a Wycheproof file, each with its group.
    static func wycheproof(_ name: String) throws -> [(group: [String: Any], test: [String: Any])] {
        let data = try Data(contentsOf: folder.appending(path: "wycheproof/\(name)_test.json"))
        let file = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let groups = try #require(file["testGroups"] as? [[String: Any]])
        let cases = groups.flatMap { group in
            (group["tests"] as? [[String: Any]] ?? []).map { (group, $0) }
        }
        #expect(cases.count == file["numberOfTests"] as? Int)
        return cases
    }

    /// The rows of a table, by the names of its columns.
    static func table(_ name: String) throws -> [[String: String]] {
        let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
        var lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
        let names = lines.removeFirst().split(separator: ",").map(String.init)
        return lines.map { line in
            let values = line.split(separator: ",", omittingEmptySubsequences: false)
            return Dictionary(uniqueKeysWithValues: zip(names, values.map(String.init)))
        }
    }
}

extension [String: Any] {
    /// A member of hexadecimal digits.
    func bytes(_ name: String) throws -> [UInt8] {
        try hexadecimalBytes(try #require(self[name] as? String))
    }
}

func hexadecimalBytes(_ text: String) throws -> [UInt8] {
    let digits = Array(text.utf8)
    return try stride(from: 0, to: digits.count, by: 2).map {
        try #require(UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16))
    }
}

/// Published bytes in guarded memory.
func secret(_ bytes: [UInt8]) throws -> SecureBytes { try SecureBytes(copying: bytes.span) }

/// RFC 4226 Appendix D and RFC 6238's reference code: 20, 32 and 64 bytes.
func publishedSeed(byteCount: Int) throws -> Seed {
    Seed(try secret((0..<byteCount).map { UInt8(ascii: "0") + UInt8(($0 + 1) % 10) }))
}
