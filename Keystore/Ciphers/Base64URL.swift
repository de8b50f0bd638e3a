// base64url without padding (RFC 4648 §5), strict: one spelling for each byte string, in links and in
// prescribing records. What is decoded here is public (boxes are encrypted); secrets go through
// SecretText. Bound by CONTRACT §4.

extension Span where Element == UInt8 {
    /// The bytes that a range spells.
    ///
    /// - Returns: nil for padding, for a letter outside the alphabet, for a length that spells no
    ///   whole byte, and for unused bits that aren't zero.
    package func base64URLDecoded(_ range: Range<Int>) -> [UInt8]? {
        guard range.count % 4 != 1 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count * 3 / 4)
        var pending: UInt32 = 0
        var pendingBits = 0
        for index in range {
            guard let value = base64URLValue(self[index]) else { return nil }
            pending = pending << 6 | UInt32(value)
            pendingBits += 6
            guard pendingBits >= 8 else { continue }
            pendingBits -= 8
            bytes.append(UInt8(pending >> UInt32(pendingBits)))
            pending &= 1 << UInt32(pendingBits) - 1
        }
        return pending == 0 ? bytes : nil
    }
}

/// The bytes that text spells, under the same rules.
package func base64URLDecoded(_ text: String) -> [UInt8]? {
    let bytes = Array(text.utf8)
    return bytes.span.base64URLDecoded(bytes.indices)
}

/// Spells bytes.
package func base64URLEncoded(_ bytes: [UInt8]) -> String {
    var text = ""
    var pending: UInt32 = 0
    var pendingBits = 0
    for byte in bytes {
        pending = pending << 8 | UInt32(byte)
        pendingBits += 8
        while pendingBits >= 6 {
            pendingBits -= 6
            text.unicodeScalars.append(base64URLLetter(pending >> UInt32(pendingBits) & 63))
        }
        pending &= 1 << UInt32(pendingBits) - 1
    }
    if pendingBits > 0 {
        text.unicodeScalars.append(base64URLLetter(pending << UInt32(6 - pendingBits) & 63))
    }
    return text
}

/// Whether a byte is a letter of the alphabet.
package func isBase64URL(_ byte: UInt8) -> Bool { base64URLValue(byte) != nil }

package func base64URLValue(_ letter: UInt8) -> UInt8? {
    switch letter {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): letter - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): letter - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): letter - UInt8(ascii: "0") + 52
    case UInt8(ascii: "-"): 62
    case UInt8(ascii: "_"): 63
    default: nil
    }
}

private func base64URLLetter(_ value: UInt32) -> Unicode.Scalar {
    let value = UInt8(value)
    return switch value {
    case 0..<26: Unicode.Scalar(UInt8(ascii: "A") + value)
    case 26..<52: Unicode.Scalar(UInt8(ascii: "a") + value - 26)
    case 52..<62: Unicode.Scalar(UInt8(ascii: "0") + value - 52)
    case 62: "-"
    default: "_"
    }
}
