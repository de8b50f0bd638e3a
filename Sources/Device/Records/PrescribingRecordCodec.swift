// Text to prescribing record and back, byte for byte canonical: what is accepted encodes again to
// the same text. Bound by FORMAT.md §4; the checks stand in the order of its table.
internal import Keystore
internal import Linux

/// The checksum, and the least that a record has: no label and no entry.
private let checksumByteCount = 4
private let leastByteCount = 23

extension PrescribingRecord {
    /// Parses a record's text, exactly.
    ///
    /// - Throws: `DeviceError`, the first of FORMAT.md §4's list that applies.
    package init(parsing text: [UInt8]) throws(DeviceError) {
        guard text.count <= PrescribingRecord.textByteLimit else { throw .tooLong }
        let prefix = Array(PrescribingRecord.prefix.utf8)
        guard text.starts(with: prefix) else { throw .notARecord }
        guard let binary = TextAlphabet.base64URL.bytes(Array(text[prefix.count...])) else {
            throw .malformedBase64
        }
        try self.init(decoding: binary)
    }

    package init(parsing text: String) throws(DeviceError) {
        try self.init(parsing: Array(text.utf8))
    }

    /// Parses a file that holds one record: one LF or CRLF after it is dropped.
    package init(parsingFile bytes: [UInt8]) throws(DeviceError) {
        var text = bytes
        if text.last == UInt8(ascii: "\n") {
            text.removeLast()
            if text.last == UInt8(ascii: "\r") { text.removeLast() }
        }
        try self.init(parsing: text)
    }

    /// Decodes the binary form.
    private init(decoding binary: [UInt8]) throws(DeviceError) {
        guard binary.count >= leastByteCount else { throw .cut }
        guard binary[0] == 1 else { throw .unknownVersion }
        let body = Array(binary.dropLast(checksumByteCount))
        guard PrescribingRecord.checksum(of: body) == Array(binary.suffix(checksumByteCount))
        else { throw .damaged }
        var reader = ByteReader(body.dropFirst())
        let label = try PrescribingRecord.label(&reader)
        guard let salt = reader.bytes(PrescribingRecord.saltByteCount),
            let count = reader.integer(UInt8.self)
        else { throw .cut }
        guard count > 0 else { throw .noEntries }
        var entries: [Entry] = []
        for _ in 0..<count {
            guard let number = reader.integer(UInt8.self), let hash = reader.bytes(16) else {
                throw .cut
            }
            // A newer program's kinds match nothing here, and don't keep a link from being used.
            guard let kind = IdentifierKind(rawValue: number) else { continue }
            entries.append(Entry(kind: kind, hash: hash))
        }
        guard reader.isAtEnd else { throw .trailingBytes }
        self.init(label: label, salt: salt, entries: entries, encoded: binary)
    }

    /// Encodes; `entries` are sorted and each stands once.
    static func encode(
        label: String, salt: [UInt8], entries: [Entry]
    ) -> [UInt8] {
        var bytes: [UInt8] = [1, UInt8(label.utf8.count)]
        bytes += Array(label.utf8) + salt
        bytes.append(UInt8(entries.count))
        for entry in entries { bytes += entry.encoded }
        return bytes + checksum(of: bytes)
    }

    private static func label(_ reader: inout ByteReader) throws(DeviceError) -> String {
        guard let count = reader.integer(UInt8.self) else { throw .cut }
        guard count <= labelBytes.upperBound else { throw .unacceptableLabel }
        guard let bytes = reader.bytes(Int(count)) else { throw .cut }
        guard let label = String(validating: bytes, as: UTF8.self), isAcceptableLabel(label)
        else { throw .unacceptableLabel }
        return label
    }

    private static func checksum(of body: [UInt8]) -> [UInt8] {
        Array(blake2b(body, byteCount: 32).prefix(checksumByteCount))
    }
}
