// The activation code: the second piece of information, sent on another channel than the link.
// Ten characters of Crockford's base32, 50 bits. Bound by CONTRACT §4.
package import Keystore
internal import Linux

/// An activation code in guarded memory.
package struct ActivationCode: ~Copyable {
    package static let characterCount = 10
    /// The ten characters in upper case: what the KDF takes. Lent to this module and to the issuer,
    /// who draws codes and shows them.
    @_spi(Issuer) public let characters: SecureBytes

    /// Reads what was typed: case, spaces and dashes don't matter, O is 0, I and L are 1.
    ///
    /// - Throws: `ActivationError.malformedCode`, `.outOfMemory`.
    package init(parsing typed: Span<UInt8>) throws(ActivationError) {
        var characters = try guarded { () throws(KeystoreError) in
            try SecureBytes(count: ActivationCode.characterCount)
        }
        let isWhole = characters.write { (target: inout MutableSpan<UInt8>) in
            var filled = 0
            var position = 0
            while position < typed.count {
                if let end = separatorEnd(typed, position) {
                    position = end
                    continue
                }
                guard let value = TextAlphabet.crockford.value(of: typed[position]),
                    filled < target.count
                else {
                    return false
                }
                target[filled] = TextAlphabet.crockford.letters[Int(value)]
                filled += 1
                position += 1
            }
            return filled == target.count
        }
        guard isWhole else { throw .malformedCode }
        self.characters = characters
    }
}

/// Whether text has a code's letters and, besides them, one dash at most.
func looksLikeActivationCode(_ text: Span<UInt8>) -> Bool {
    let letters = text.indices.filter { TextAlphabet.crockford.holds(text[$0]) }
    return letters.count == ActivationCode.characterCount
        && (text.count == letters.count
            || text.count == letters.count + 1 && text[5] == UInt8(ascii: "-"))
}

/// Where a dash or a space ends, of whichever kind a mail program or a word processor made of it.
private func separatorEnd(_ text: Span<UInt8>, _ position: Int) -> Int? {
    if text[position] == UInt8(ascii: "-") { return position + 1 }
    if let end = text.whiteSpaceEnd(at: position) ?? text.invisibleEnd(at: position) { return end }
    guard position + 2 < text.count else { return nil }
    switch (text[position], text[position + 1], text[position + 2]) {
    // U+2010 to U+2015, and the minus sign U+2212.
    case (0xE2, 0x80, 0x90...0x95), (0xE2, 0x88, 0x92): return position + 3
    default: return nil
    }
}
