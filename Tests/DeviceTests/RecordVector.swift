// One vector file: what a record's text is and at which layer it is accepted or rejected.
// Written by make_vectors.py from FORMAT.md §4 alone.
import Foundation
import Linux
import Testing

@testable import Device

struct RecordVector: CustomTestStringConvertible, Sendable {
    let name: String
    let layer: String
    let text: [UInt8]
    private let lines: [[String]]

    var testDescription: String { name }

    static let all: [RecordVector] = {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Vectors")
        let files = try! FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        return files.map { RecordVector(file: folder.appending(path: $0)) }
    }()
    static let accepted = all.filter { $0.layer == "accepted" }
    static let made = accepted.filter { $0.isMade }
    static let rejected = all.filter { $0.layer != "accepted" }

    private init(file: URL) {
        name = file.deletingPathExtension().lastPathComponent
        let content = try! String(contentsOf: file, encoding: .utf8)
        lines = content.split(separator: "\n").filter { !$0.hasPrefix("#") }
            .map { $0.split(separator: " ", omittingEmptySubsequences: false).map(String.init) }
        layer = lines.first { $0[0] == "layer" }![1]
        text = TextAlphabet.hexadecimal.bytes(Array(lines.first { $0[0] == "text" }![1].utf8))!
    }

    /// The values of each line with this name, as hexadecimal; numbers stand before them.
    private func values(_ name: String) -> [(UInt8?, [UInt8])] {
        lines.filter { $0[0] == name }.map { words in
            let bytes = TextAlphabet.hexadecimal.bytes(words.last!)!
            return (words.count == 3 ? UInt8(words[1]) : nil, bytes)
        }
    }

    /// Whether a device makes it of its identifiers.
    var isMade: Bool { values("made")[0].1 == [1] }
    var label: String { String(decoding: values("label")[0].1, as: UTF8.self) }
    var salt: [UInt8] { values("salt")[0].1 }
    var entries: [PrescribingRecord.Entry] {
        values("entry").map { .init(kind: IdentifierKind(rawValue: $0.0!)!, hash: $0.1) }
    }
    var identity: DeviceIdentity {
        DeviceIdentity(
            values("identifier").map { Identifier(IdentifierKind(rawValue: $0.0!)!, $0.1) })
    }
}
