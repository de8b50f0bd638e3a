// A strict JSON reader over bytes, because it is a security border: two readers that understand one
// text differently are an attack (DESIGN §10). RFC 8259 with the limits of CONTRACT §4.
internal import Linux

/// Why bytes aren't the JSON of CONTRACT §4.
package enum JSONError: Error, Equatable, Sendable {
    case malformed
    case byteOrderMark
    case notUTF8
    case loneSurrogate
    /// A member's name twice in one object, compared after unescaping, byte for byte.
    case repeatedMember
    /// Not `-?(0|[1-9][0-9]*)`, or outside ±(2^53 − 1).
    case rejectedNumber
    /// More than 8 arrays and objects in each other.
    case tooDeep
    case trailingBytes
}

/// Reads one JSON text, which takes up all the bytes but white space.
///
/// - Throws: `JSONError`.
package func readJSON(_ text: [UInt8]) throws(JSONError) -> JSONValue {
    guard !text.starts(with: [0xEF, 0xBB, 0xBF]) else { throw .byteOrderMark }
    var reader = JSONReader(text: text)
    let value = try reader.value(depth: 0)
    reader.skipSpace()
    guard reader.position == text.count else { throw .trailingBytes }
    return value
}

private struct JSONReader {
    static let maximumDepth = 8
    let text: [UInt8]
    var position = 0

    mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        skipSpace()
        guard let first = peek() else { throw .malformed }
        switch first {
        case UInt8(ascii: "{"): return .object(try object(depth: depth + 1))
        case UInt8(ascii: "["): return .array(try array(depth: depth + 1))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return .integer(try integer())
        default: return try word()
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> [JSONMember] {
        guard depth <= JSONReader.maximumDepth else { throw .tooDeep }
        var members: [JSONMember] = []
        var names: Set<[UInt8]> = []
        position += 1
        if skip("}") { return members }
        repeat {
            skipSpace()
            let name = try string()
            guard names.insert(Array(name.utf8)).inserted else { throw .repeatedMember }
            guard skip(":") else { throw .malformed }
            members.append(JSONMember(name, try value(depth: depth)))
        } while skip(",")
        guard skip("}") else { throw .malformed }
        return members
    }

    private mutating func array(depth: Int) throws(JSONError) -> [JSONValue] {
        guard depth <= JSONReader.maximumDepth else { throw .tooDeep }
        var elements: [JSONValue] = []
        position += 1
        if skip("]") { return elements }
        repeat {
            elements.append(try value(depth: depth))
        } while skip(",")
        guard skip("]") else { throw .malformed }
        return elements
    }

    private mutating func word() throws(JSONError) -> JSONValue {
        let words: [(String, JSONValue)] = [("true", true), ("false", false), ("null", .null)]
        for (word, value) in words where text[position...].starts(with: word.utf8) {
            position += word.utf8.count
            return value
        }
        throw .malformed
    }

    private mutating func integer() throws(JSONError) -> Int64 {
        let start = position
        if peek() == UInt8(ascii: "-") { position += 1 }
        let digits = position
        while peek()?.isDigit == true { position += 1 }
        let next = peek().map { Unicode.Scalar($0) }
        guard next != ".", next != "e", next != "E",
            let number = decimal(text.span.extracting(digits..<position)),
            JSONValue.integers.contains(number)
        else { throw .rejectedNumber }
        return digits > start ? -number : number
    }

    private mutating func string() throws(JSONError) -> String {
        guard peek() == UInt8(ascii: "\"") else { throw .malformed }
        position += 1
        var bytes: [UInt8] = []
        while let byte = peek(), byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw .malformed }
            position += 1
            if byte == UInt8(ascii: "\\") {
                bytes.append(contentsOf: String(try escaped()).utf8)
            } else {
                bytes.append(byte)
            }
        }
        guard position < text.count else { throw .malformed }
        position += 1
        guard let string = String(validating: bytes, as: UTF8.self) else { throw .notUTF8 }
        return string
    }

    /// What stands behind a backslash.
    private mutating func escaped() throws(JSONError) -> Unicode.Scalar {
        guard let letter = peek() else { throw .malformed }
        position += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
            return Unicode.Scalar(letter)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeScalar()
        default: throw .malformed
        }
    }

    private mutating func unicodeScalar() throws(JSONError) -> Unicode.Scalar {
        let first = try codeUnit()
        guard (0xD800...0xDBFF).contains(first) else {
            guard let scalar = Unicode.Scalar(first) else { throw .loneSurrogate }
            return scalar
        }
        guard text[position...].starts(with: "\\u".utf8) else { throw .loneSurrogate }
        position += 2
        let second = try codeUnit()
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
        else { throw .loneSurrogate }
        return scalar
    }

    private mutating func codeUnit() throws(JSONError) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = peek().flatMap(TextAlphabet.hexadecimal.value) else {
                throw .malformed
            }
            unit = unit << 4 | UInt32(digit)
            position += 1
        }
        return unit
    }

    private func peek() -> UInt8? { position < text.count ? text[position] : nil }

    /// White space as RFC 8259 §2 has it: no form feed, no vertical tab.
    mutating func skipSpace() {
        while let byte = peek(), [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
    }

    private mutating func skip(_ mark: Unicode.Scalar) -> Bool {
        skipSpace()
        guard peek() == UInt8(ascii: mark) else { return false }
        position += 1
        return true
    }
}

/// The number that at most 16 ASCII digits spell without a leading zero.
func decimal(_ digits: Span<UInt8>) -> Int64? {
    guard (1...16).contains(digits.count), digits.count == 1 || digits[0] != UInt8(ascii: "0")
    else { return nil }
    var number: Int64 = 0
    for index in digits.indices {
        guard digits[index].isDigit else { return nil }
        number = number * 10 + Int64(digits[index] - UInt8(ascii: "0"))
    }
    return number
}

extension Span where Element == UInt8 {
    /// Whether bytes stand at a position.
    func starts(with bytes: [UInt8], at start: Int = 0) -> Bool {
        count - start >= bytes.count && bytes.indices.allSatisfy { self[start + $0] == bytes[$0] }
    }
}
