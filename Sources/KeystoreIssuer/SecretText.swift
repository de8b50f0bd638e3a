// Secrets as text, for the issuer's side alone: seeds and PSKC values in base64, a signing key's "d"
// in base64url (RFC 4648 §4, §5), a PSKC key in hexadecimal. Bytes in, guarded memory out; the way
// out of a seed is the verifier's record, which CONTRACT §6 asks for.
internal import CSodium
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
        guard text.indices.allSatisfy({ alphabet.holds(text[$0]) }),
            let count = alphabet.byteCount(ofLetters: text.count), count > 0
        else { return nil }
        var bytes = try SecureBytes(count: count)
        let isCanonical = bytes.write(decoding: text, as: alphabet)
        scrubStackAndRegisters(.shallow)
        guard isCanonical else { return nil }
        return bytes
    }

    /// Decodes base64 with its padding straight into guarded memory; white space is skipped, as XML
    /// Schema's base64Binary allows.
    ///
    /// - Returns: nil for text that isn't the one spelling of a byte at least.
    /// - Throws: `KeystoreError.outOfMemory`.
    package static func decoding(
        base64 text: Span<UInt8>
    ) throws(KeystoreError) -> SecureBytes? {
        guard !text.isEmpty else { return nil }
        var bytes = try SecureBytes(count: text.count)
        var count = 0
        let isText = unsafe bytes.withUnsafeMutableBytes { bytes in
            unsafe text.withUnsafeBytes { text in
                unsafe sodium_base642bin(
                    bytes.assumingMemoryBound(to: UInt8.self).baseAddress!, bytes.count,
                    text.assumingMemoryBound(to: CChar.self).baseAddress!, text.count, " \t\r\n",
                    &count, nil, sodium_base64_VARIANT_ORIGINAL) == 0
            }
        }
        scrubStackAndRegisters(.shallow)
        guard isText, count > 0 else { return nil }
        return try bytes.read { (bytes) throws(KeystoreError) in
            try SecureBytes(copying: bytes.extracting(0..<count))
        }
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
