// Reading and writing the fields of the binary formats: public bytes only. A reader that runs past
// the end answers nil, and the file is damaged. Bound by FORMAT.md §1.
internal import Linux

/// Reads fields from the front of a byte string.
package struct ByteReader {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    package init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    package init(_ bytes: [UInt8]) { self.init(bytes[...]) }

    package var isAtEnd: Bool { position == bytes.endIndex }
    /// What has not been read yet is all zero: padding.
    var isRestZero: Bool { bytes[position...].allSatisfy { $0 == 0 } }

    package mutating func bytes(_ count: Int) -> [UInt8]? {
        guard count >= 0, bytes.endIndex - position >= count else { return nil }
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    package mutating func integer<T: FixedWidthInteger>(_ type: T.Type) -> T? {
        let count = T.bitWidth / 8
        guard bytes.endIndex - position >= count else { return nil }
        var value: T.Magnitude = 0
        for index in position..<position + count {
            value = (count == 1 ? 0 : value << 8) | T.Magnitude(bytes[index])
        }
        position += count
        return T(truncatingIfNeeded: value)
    }

    /// A string of FORMAT.md §1; "" is "none" where the range allows it.
    mutating func string(_ byteCount: ClosedRange<Int>) -> String? {
        guard let count = integer(UInt8.self), let bytes = bytes(Int(count)),
            let text = String(validating: bytes, as: UTF8.self),
            isStorableText(text, bytes: byteCount)
        else { return nil }
        return text
    }

    package mutating func skipsZeros(_ count: Int) -> Bool {
        guard let zeros = bytes(count) else { return false }
        return zeros.allSatisfy { $0 == 0 }
    }
}

/// Appends fields to a byte string.
package struct ByteWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func append(_ more: [UInt8]) { bytes += more }
    package mutating func append(_ magic: StaticString) {
        bytes += Array(magic.description.utf8)
    }

    package mutating func append<T: FixedWidthInteger>(_ value: T) {
        for shift in stride(from: T.bitWidth - 8, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> T(shift)))
        }
    }

    mutating func append(string: String) {
        precondition(string.utf8.count <= 255, "a string has at most 255 bytes")
        bytes.append(UInt8(string.utf8.count))
        bytes += Array(string.utf8)
    }

    /// Zeros up to the next multiple.
    mutating func pad(toMultipleOf multiple: Int) {
        let rest = bytes.count % multiple
        if rest > 0 || bytes.isEmpty {
            bytes += [UInt8](repeating: 0, count: multiple - rest)
        }
    }
}
