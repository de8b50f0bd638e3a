// The record's codec against FORMAT.md §4: vectors of another hand, and every cut and flipped bit.
import Foundation
import Keystore
import Linux
import Testing

@testable import Device

@Suite struct PrescribingRecordTests {
    @Test("A vector that is accepted says what it holds", arguments: RecordVector.accepted)
    func accepted(vector: RecordVector) throws {
        let record = try PrescribingRecord(parsing: vector.text)
        #expect(record.label == vector.label)
        #expect(record.salt == vector.salt)
        #expect(record.entries == vector.entries)
        #expect(Array(record.text.utf8) == vector.text)
    }

    @Test("A device makes the record that another hand made", arguments: RecordVector.made)
    func made(vector: RecordVector) throws {
        let record = try PrescribingRecord.make(
            of: vector.identity, label: vector.label, salt: vector.salt)
        #expect(Array(record.text.utf8) == vector.text)
    }

    @Test("A vector that is rejected is rejected by its name", arguments: RecordVector.rejected)
    func rejected(vector: RecordVector) {
        let error = #expect(throws: DeviceError.self) {
            try PrescribingRecord(parsing: vector.text)
        }
        #expect(error.map { "\($0)" } == vector.layer)
    }

    @Test("Each name of FORMAT.md's must-reject list has a vector")
    func mustRejectList() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let format = try String(
            contentsOf: root.appending(path: "Sources/Device/FORMAT.md"), encoding: .utf8)
        let section = try #require(format.components(separatedBy: "**Must reject**").last)
            .components(separatedBy: "What is accepted encodes")[0]
        let names = section.split(separator: "\n").filter { $0.hasPrefix("| `") }
            .flatMap { row in
                row.split(separator: "|")[0].split(separator: "`").map(String.init)
                    .filter { $0.contains(/[a-z]/) }
            }
        #expect(names.count == 11)
        for name in names {
            #expect(RecordVector.rejected.contains { $0.name.hasPrefix(name) }, "\(name)")
        }
    }

    @Test("Each name of FORMAT.md's must-accept list has a vector")
    func mustAcceptList() {
        for name in ["unsorted", "duplicate", "unknown-kind"] {
            #expect(RecordVector.accepted.contains { $0.name.hasPrefix(name) }, "\(name)")
        }
    }

    @Test("Another order, repeats and unknown kinds change no comparison")
    func comparison() throws {
        func record(_ name: String) throws -> PrescribingRecord {
            let vector = try #require(RecordVector.accepted.first { $0.name == name })
            return try PrescribingRecord(parsing: vector.text)
        }
        let identity = try #require(RecordVector.accepted.first { $0.name == "laptop" }).identity
        let laptop = try record("laptop").comparison(with: identity)
        #expect(try record("unsorted").comparison(with: identity) == laptop)
        for name in ["duplicate", "unknown-kind-3", "unknown-kind-12"] {
            let comparison = try record(name).comparison(with: identity)
            #expect(comparison.matching == [.machineID] && comparison.comparable == [.machineID])
        }
        let alone = try record("unknown-kind-alone").comparison(with: identity)
        #expect(alone.matching.isEmpty && alone.comparable.isEmpty)
        #expect(alone.verdict == .unverified(.tooLittleInCommon(label: "")))
    }

    @Test("A record that is cut anywhere is rejected", arguments: RecordVector.accepted)
    func prefixes(vector: RecordVector) {
        for count in 0..<vector.text.count {
            #expect(throws: DeviceError.self) {
                try PrescribingRecord(parsing: Array(vector.text.prefix(count)))
            }
        }
    }

    @Test("A record with a flipped bit is rejected", arguments: RecordVector.accepted)
    func flippedBits(vector: RecordVector) {
        for index in vector.text.indices {
            for bit in 0..<8 {
                var text = vector.text
                text[index] ^= 1 << UInt8(bit)
                #expect(throws: DeviceError.self) {
                    try PrescribingRecord(parsing: text)
                }
            }
        }
    }

    @Test("A binary form with a flipped bit is rejected", arguments: RecordVector.accepted)
    func flippedBinaryBits(vector: RecordVector) throws {
        let encoded = try PrescribingRecord(parsing: vector.text).encoded
        for index in encoded.indices {
            for bit in 0..<8 {
                var changed = encoded
                changed[index] ^= 1 << UInt8(bit)
                #expect(throws: DeviceError.self) {
                    try PrescribingRecord(
                        parsing: PrescribingRecord.prefix + TextAlphabet.base64URL.text(changed))
                }
            }
        }
    }

    @Test("One line end after the record in a file is dropped, two are not")
    func files() throws {
        let text = try #require(RecordVector.accepted.first).text
        let record = try PrescribingRecord(parsing: text)
        #expect(try PrescribingRecord(parsingFile: text) == record)
        #expect(try PrescribingRecord(parsingFile: text + [10]) == record)
        #expect(try PrescribingRecord(parsingFile: text + [13, 10]) == record)
        #expect(throws: DeviceError.malformedBase64) {
            try PrescribingRecord(parsingFile: text + [10, 10])
        }
    }

    @Test("A record is not made of what can't recognise a device")
    func nothingToRecogniseBy() {
        let identity = DeviceIdentity([
            Identifier(.bootID, [1, 2, 3]), Identifier(.macAddress, [0, 1, 2, 3, 4, 5]),
        ])
        #expect(throws: DeviceError.nothingToRecogniseBy) {
            try PrescribingRecord.make(of: identity, label: "")
        }
    }

    @Test(
        "A label that a terminal would obey is not put into a record",
        arguments: ["a\u{1B}[2J", "a\nb", "\u{202E}", String(repeating: "a", count: 65)])
    func labels(label: String) {
        let identity = DeviceIdentity([Identifier(.machineID, [1])])
        #expect(throws: DeviceError.unacceptableLabel) {
            try PrescribingRecord.make(of: identity, label: label)
        }
    }

    @Test("Two records of one device share no hash")
    func freshSalts() throws {
        let identity = try #require(RecordVector.accepted.first).identity
        let first = try PrescribingRecord.make(of: identity, label: "")
        let second = try PrescribingRecord.make(of: identity, label: "")
        #expect(first.salt != second.salt)
        let hashes = Set(first.entries.map(\.hash))
        #expect(second.entries.allSatisfy { !hashes.contains($0.hash) })
    }

    @Test("The fullest identity makes a record that parses")
    func fullest() throws {
        var identifiers: [Identifier] = []
        for kind in IdentifierKind.allCases {
            for number in UInt8(0)..<20 { identifiers.append(Identifier(kind, [number])) }
        }
        let identity = DeviceIdentity(identifiers)
        #expect(identity.identifiers.count == 80)
        let label = String(repeating: "a", count: 64)
        let record = try PrescribingRecord.make(of: identity, label: label)
        #expect(try PrescribingRecord(parsing: record.text) == record)
    }
}
