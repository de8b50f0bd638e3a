// The activation code: the second piece of information, sent on another channel than the link.
// Ten characters of Crockford's base32, 50 bits. Bound by CONTRACT §4.
package import Keystore

/// An activation code in guarded memory.
package struct ActivationCode: ~Copyable {
    package static let characterCount = 10
    /// The ten characters in upper case: what the KDF takes.
    let characters: SecureBytes

    /// Reads what was typed: case, spaces and dashes don't matter, O is 0, I and L are 1.
    ///
    /// - Throws: `ActivationError.malformedCode`, `.memory`.
    package init(parsing typed: Span<UInt8>) throws(ActivationError) {
        var characters = try guarded { () throws(SecureMemoryError) in
            try SecureBytes(count: ActivationCode.characterCount)
        }
        let isWhole = characters.write { (target: inout MutableSpan<UInt8>) in
            var filled = 0
            for index in typed.indices where !isSeparator(typed[index]) {
                guard let value = crockfordValue(typed[index]), filled < target.count else {
                    return false
                }
                target[filled] = crockfordLetters[Int(value)]
                filled += 1
            }
            return filled == target.count
        }
        guard isWhole else { throw .malformedCode }
        self.characters = characters
    }

    /// Draws a new code: the issuer's side.
    package init() throws(SecureMemoryError) {
        // 256 is a multiple of 32: no letter is more likely than another.
        var characters = try SecureBytes(randomCount: ActivationCode.characterCount)
        characters.write { (target: inout MutableSpan<UInt8>) in
            for index in target.indices {
                target[index] = crockfordLetters[Int(target[index] & 31)]
            }
        }
        self.characters = characters
    }

    /// Lends the code as it is shown, `XXXXX-XXXXX`, to the issuer's output.
    package borrowing func readShown<R: ~Copyable, E: Error>(
        _ body: (Span<UInt8>) throws(E) -> R
    ) throws(E) -> R {
        try characters.read { (characters) throws(E) in
            var shown = InlineArray<11, UInt8>(repeating: UInt8(ascii: "-"))
            for index in characters.indices {
                shown[index < 5 ? index : index + 1] = characters[index]
            }
            return try body(shown.span)
        }
    }
}

/// Whether text has a code's letters and, besides them, one dash at most.
func looksLikeActivationCode(_ text: Span<UInt8>) -> Bool {
    let letters = text.indices.filter { crockfordValue(text[$0]) != nil }
    return letters.count == ActivationCode.characterCount
        && (text.count == letters.count
            || text.count == letters.count + 1 && text[5] == UInt8(ascii: "-"))
}

private func isSeparator(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "-") || byte.isWhiteSpace
}

private let crockfordLetters = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

private func crockfordValue(_ letter: UInt8) -> UInt8? {
    switch letter.lowercased {
    case UInt8(ascii: "o"): 0
    case UInt8(ascii: "i"), UInt8(ascii: "l"): 1
    case let letter: crockfordLetters.firstIndex { $0.lowercased == letter }.map { UInt8($0) }
    }
}
