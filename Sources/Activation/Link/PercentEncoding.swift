// Percent-encoding (RFC 3986 §2.1) of otpauth links: decoded strictly, and a seed's text straight
// into guarded memory. Bound by CONTRACT §5.
import Keystore
import Linux

/// What a plus sign stands for: itself in a path, a space in a query.
enum PlusSign {
    case itself
    case space
}

extension Span where Element == UInt8 {
    /// The byte that stands at `position`, which moves behind it.
    ///
    /// - Throws: `ActivationError.malformedPercentEncoding`, `.controlCharacter`.
    func decodedByte(
        at position: inout Int, end: Int, plus: PlusSign
    ) throws(ActivationError) -> UInt8 {
        var byte = self[position]
        position += 1
        if byte == UInt8(ascii: "%") {
            guard position + 2 <= end, let decoded = hexadecimalByte(at: position) else {
                throw .malformedPercentEncoding
            }
            byte = decoded
            position += 2
        } else if byte == UInt8(ascii: "+"), plus == .space {
            byte = UInt8(ascii: " ")
        }
        guard !byte.isControl else { throw .controlCharacter }
        return byte
    }

    /// How many bytes a range stands for: rejects what is malformed without keeping any of it.
    func decodedCount(_ range: Range<Int>) throws(ActivationError) -> Int {
        var position = range.lowerBound
        var count = 0
        while position < range.upperBound {
            _ = try decodedByte(at: &position, end: range.upperBound, plus: .space)
            count += 1
        }
        return count
    }

    /// What a range stands for, where it is public.
    func decoded(_ range: Range<Int>, plus: PlusSign) throws(ActivationError) -> [UInt8] {
        var position = range.lowerBound
        var bytes: [UInt8] = []
        while position < range.upperBound {
            bytes.append(try decodedByte(at: &position, end: range.upperBound, plus: plus))
        }
        return bytes
    }

    /// What a range stands for, where it is a seed's text. The range isn't empty.
    func decodedSecret(_ range: Range<Int>) throws(ActivationError) -> SecureBytes {
        let count = try decodedCount(range)
        var secret = try guarded { () throws(KeystoreError) in try SecureBytes(count: count) }
        try secret.write { (target: inout MutableSpan<UInt8>) throws(ActivationError) in
            var position = range.lowerBound
            for index in target.indices {
                target[index] = try decodedByte(
                    at: &position, end: range.upperBound, plus: .space)
            }
        }
        return secret
    }

    /// Whether a range stands for an ASCII name, in either case.
    func isName(_ name: String, _ range: Range<Int>) throws(ActivationError) -> Bool {
        guard try decodedCount(range) == name.utf8.count else { return false }
        var position = range.lowerBound
        for expected in name.utf8 {
            let byte = try decodedByte(at: &position, end: range.upperBound, plus: .itself)
            guard byte.lowercased == expected else { return false }
        }
        return true
    }
}
