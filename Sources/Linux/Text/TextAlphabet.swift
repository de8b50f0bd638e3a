// Bytes as letters and back: the alphabets of RFC 4648 and Crockford's base32. All text that spells
// bytes goes through the two loops here, secrets too: they keep nothing, and what they hand out goes
// where the caller has a place for it.

/// An alphabet of 16, 32 or 64 letters.
package struct TextAlphabet: Sendable {
    /// RFC 4648 §8, read in either case.
    package static let hexadecimal = TextAlphabet("0123456789abcdef", "0123456789ABCDEF")
    /// RFC 4648 §6 in capitals, without padding, read in either case.
    package static let base32 = TextAlphabet(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "abcdefghijklmnopqrstuvwxyz")
    /// Crockford's, in capitals and without check symbols; read in either case, O as 0, I and L as 1.
    package static let crockford = TextAlphabet(
        "0123456789ABCDEFGHJKMNPQRSTVWXYZ", "0123456789abcdefghjkmnpqrstvwxyz", "OI", "oi", "OL",
        "ol")
    /// RFC 4648 §4, without its padding.
    package static let base64 = TextAlphabet(lettersAndDigits + "+/")
    /// RFC 4648 §5, without padding.
    package static let base64URL = TextAlphabet(lettersAndDigits + "-_")

    private static let lettersAndDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    private static let noValue: UInt8 = 0xFF

    package let letters: [UInt8]
    private let values: [UInt8]
    private let bitsPerLetter: Int

    /// - Parameter rows: the letters in the order of their values; the first row is the one that is
    ///   written, the others are read alike.
    private init(_ rows: String...) {
        letters = Array(rows[0].utf8)
        bitsPerLetter = letters.count.trailingZeroBitCount
        var values = [UInt8](repeating: TextAlphabet.noValue, count: 256)
        for row in rows {
            for (value, letter) in row.utf8.enumerated() { values[Int(letter)] = UInt8(value) }
        }
        self.values = values
    }

    /// What a letter stands for; nil for what is none.
    package func value(of letter: UInt8) -> UInt8? {
        let value = values[Int(letter)]
        return value == TextAlphabet.noValue ? nil : value
    }

    package func holds(_ letter: UInt8) -> Bool { value(of: letter) != nil }

    /// How many bytes so many letters spell; nil where the last one would add none.
    package func byteCount(ofLetters count: Int) -> Int? {
        let bits = count * bitsPerLetter
        return bits % 8 < bitsPerLetter ? bits / 8 : nil
    }

    /// Hands out the bytes that the letters of a text spell; what is no letter is passed over.
    ///
    /// - Returns: whether the bits that no byte takes are zero.
    @discardableResult
    package func decode(_ text: Span<UInt8>, _ emit: (UInt8) -> Void) -> Bool {
        var pending: UInt32 = 0
        var pendingBits = 0
        for index in text.indices {
            guard let value = value(of: text[index]) else { continue }
            pending = pending << UInt32(bitsPerLetter) | UInt32(value)
            pendingBits += bitsPerLetter
            guard pendingBits >= 8 else { continue }
            pendingBits -= 8
            emit(UInt8(pending >> UInt32(pendingBits)))
            pending &= 1 << UInt32(pendingBits) - 1
        }
        return pending == 0
    }

    /// Hands out the letters that spell bytes.
    package func encode(_ bytes: Span<UInt8>, _ emit: (UInt8) -> Void) {
        var pending: UInt32 = 0
        var pendingBits = 0
        for index in bytes.indices {
            pending = pending << 8 | UInt32(bytes[index])
            pendingBits += 8
            while pendingBits >= bitsPerLetter {
                pendingBits -= bitsPerLetter
                emit(letters[Int(pending >> UInt32(pendingBits))])
                pending &= 1 << UInt32(pendingBits) - 1
            }
        }
        if pendingBits > 0 { emit(letters[Int(pending << UInt32(bitsPerLetter - pendingBits))]) }
    }

    /// The bytes that public text spells.
    ///
    /// - Returns: nil for anything but their one spelling, besides case: another letter, padding, a
    ///   length that spells no whole byte, unused bits that aren't zero.
    package func bytes(_ text: Span<UInt8>) -> [UInt8]? {
        guard let count = byteCount(ofLetters: text.count),
            text.indices.allSatisfy({ holds(text[$0]) })
        else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        return decode(text) { bytes.append($0) } ? bytes : nil
    }

    package func bytes(_ text: [UInt8]) -> [UInt8]? { bytes(text.span) }
    package func bytes(_ text: String) -> [UInt8]? { bytes(Array(text.utf8)) }

    /// The text of public bytes.
    package func text(_ bytes: [UInt8]) -> String {
        var letters: [UInt8] = []
        encode(bytes.span) { letters.append($0) }
        return String(decoding: letters, as: UTF8.self)
    }
}
