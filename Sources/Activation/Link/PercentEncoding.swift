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
    /// Hands out the bytes that a range stands for, keeping none.
    ///
    /// - Returns: how many there are.
    /// - Throws: `ActivationError.malformedPercentEncoding`, `.controlCharacter`.
    @discardableResult
    func decode(
        _ range: Range<Int>, plus: PlusSign = .space, _ emit: (UInt8) -> Void = { _ in }
    ) throws(ActivationError) -> Int {
        var position = range.lowerBound
        var count = 0
        while position < range.upperBound {
            var byte = self[position]
            position += 1
            if byte == UInt8(ascii: "%") {
                guard position + 2 <= range.upperBound, let decoded = hexadecimalByte(at: position)
                else { throw .malformedPercentEncoding }
                byte = decoded
                position += 2
            } else if byte == UInt8(ascii: "+"), plus == .space {
                byte = UInt8(ascii: " ")
            }
            guard !byte.isControl else { throw .controlCharacter }
            emit(byte)
            count += 1
        }
        return count
    }

    /// What a range stands for, where it is public.
    func decoded(_ range: Range<Int>, plus: PlusSign) throws(ActivationError) -> [UInt8] {
        var bytes: [UInt8] = []
        try decode(range, plus: plus) { bytes.append($0) }
        return bytes
    }

    /// What a range stands for, where it is a seed's text. The range isn't empty.
    func decodedSecret(_ range: Range<Int>) throws(ActivationError) -> SecureBytes {
        let count = try decode(range)
        var secret = try guarded { () throws(KeystoreError) in try SecureBytes(count: count) }
        _ = try secret.fill { (output) throws(ActivationError) in
            try decode(range) { output.append($0) }
        }
        return secret
    }

    /// Whether a range stands for an ASCII name, in either case.
    func isName(_ name: String, _ range: Range<Int>) throws(ActivationError) -> Bool {
        var expected = name.utf8[...]
        var isSame = true
        try decode(range, plus: .itself) { byte in
            isSame = expected.popFirst() == byte.lowercased && isSame
        }
        return isSame && expected.isEmpty
    }
}
