// Secrets as text, for the issuer's side alone: seeds and PSKC values in base64, a signing key's "d"
// in base64url (RFC 4648 §4, §5), a PSKC key in hexadecimal. Bytes in, guarded memory out; the way
// out of a seed is the verifier's record, which CONTRACT §6 asks for.
@_spi(Issuer) package import Keystore
package import Linux

extension SecureBytes {
    /// Decodes text straight into guarded memory.
    ///
    /// - Returns: nil for text that isn't this alphabet's one spelling of a byte at least.
    /// - Throws: `KeystoreError.outOfMemory`.
    package static func decoding(
        _ text: Span<UInt8>, as alphabet: TextAlphabet
    ) throws(KeystoreError) -> SecureBytes? {
        guard text.indices.allSatisfy({ alphabet.holds(text[$0]) }) else { return nil }
        return try decoding(text, letterCount: text.count, as: alphabet)
    }

    /// Decodes base64 with its padding straight into guarded memory; white space is skipped, as XML
    /// Schema's base64Binary allows.
    ///
    /// - Returns: nil for text that isn't the one spelling of a byte at least.
    /// - Throws: `KeystoreError.outOfMemory`.
    package static func decoding(
        base64 text: Span<UInt8>
    ) throws(KeystoreError) -> SecureBytes? {
        var letters = 0
        var padding = 0
        for index in text.indices where !text[index].isWhiteSpace {
            if text[index] == UInt8(ascii: "=") {
                padding += 1
            } else {
                guard padding == 0, TextAlphabet.base64.holds(text[index]) else { return nil }
                letters += 1
            }
        }
        guard padding <= 2, (letters + padding).isMultiple(of: 4) else { return nil }
        return try decoding(text, letterCount: letters, as: .base64)
    }

    private static func decoding(
        _ text: Span<UInt8>, letterCount: Int, as alphabet: TextAlphabet
    ) throws(KeystoreError) -> SecureBytes? {
        guard let count = alphabet.byteCount(ofLetters: letterCount), count > 0 else { return nil }
        var bytes = try SecureBytes(count: count)
        let isCanonical = bytes.write(decoding: text, as: alphabet)
        scrubStackAndRegisters(.shallow)
        guard isCanonical else { return nil }
        return bytes
    }
}

extension Seed {
    /// Draws a new seed.
    package init(randomByteCount: Int) throws(KeystoreError) {
        self.init(try SecureBytes(randomCount: randomByteCount))
    }

    /// Writes the seed in base64 behind a verifier's record.
    package borrowing func appendBase64(to record: inout [UInt8]) {
        append(as: .base64, to: &record)
        record += base64Padding(byteCount: byteCount)
    }

    /// Writes the seed for another verifier.
    package borrowing func append(as alphabet: TextAlphabet, to record: inout [UInt8]) {
        readBytes { bytes in alphabet.encode(bytes) { record.append($0) } }
    }
}

/// What stands behind the letters of so many bytes.
package func base64Padding(byteCount: Int) -> [UInt8] {
    [UInt8](repeating: UInt8(ascii: "="), count: (3 - byteCount % 3) % 3)
}
