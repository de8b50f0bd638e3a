// The two boxes in which a signed link carries its seed, closed: under an activation code, or to a
// device's key. LinkBoxes in Keystore opens them. Bound by CONTRACT §4.
@_spi(Issuer) package import Activation
internal import CSodium
@_spi(Issuer) internal import Keystore
internal import Linux

extension CodeBox {
    /// Encrypts a seed under a code. The work that trying one costs is the least that CONTRACT §4
    /// allows, 0.1 s: 50 bits at that price are millions of core years.
    ///
    /// - Throws: `KeystoreError.malformedBox`, `.outOfMemory`.
    static func encrypt(
        _ seed: borrowing Seed, code: borrowing ActivationCode, binding: LinkBinding,
        salt: [UInt8], nonce: [UInt8]
    ) throws(KeystoreError) -> CodeBox {
        let (operations, memoryBytes) = (2, 64 << 20)
        let key = try key(
            of: code.characters, salt: salt, operations: operations, memoryBytes: memoryBytes)
        var box = [UInt8](repeating: 0, count: seed.byteCount + 16)
        let additional = binding.additionalData
        unsafe key.withUnsafeBytes { key in
            seed.readBytes { seed in
                unsafe seed.withUnsafeBufferPointer { seed in
                    _ = unsafe crypto_aead_xchacha20poly1305_ietf_encrypt(
                        &box, nil, seed.baseAddress, UInt64(seed.count), additional,
                        UInt64(additional.count), nil, nonce,
                        key.assumingMemoryBound(to: UInt8.self).baseAddress!)
                }
            }
        }
        guard
            let made = CodeBox(
                salt: salt, operations: operations, memoryBytes: memoryBytes, nonce: nonce,
                box: box)
        else { throw .malformedBox }
        return made
    }
}

extension RequestKey {
    /// Seals a seed to a device's public key.
    ///
    /// - Returns: nil for a key that nothing can be sealed to.
    static func seal(
        _ seed: borrowing Seed, to publicKey: [UInt8], binding: LinkBinding
    ) throws(KeystoreError) -> [UInt8]? {
        precondition(publicKey.count == 32, "an X25519 public key has 32 bytes")
        var content = try SecureBytes(count: 48 + seed.byteCount)
        content.write { (target: inout MutableSpan<UInt8>) in
            for (index, byte) in (binding.x + binding.jti).enumerated() { target[index] = byte }
            seed.readBytes { seed in
                for index in seed.indices { target[48 + index] = seed[index] }
            }
        }
        var box = [UInt8](repeating: 0, count: content.count + sealedBoxOverhead)
        let isSealed = unsafe content.withUnsafeBytes { content in
            unsafe crypto_box_seal(
                &box, content.assumingMemoryBound(to: UInt8.self).baseAddress!,
                UInt64(content.count), publicKey) == 0
        }
        return isSealed ? box : nil
    }
}

extension ActivationCode {
    /// Draws a new code.
    package init() throws(ActivationError) {
        var drawn = try sealing(try SecureBytes(randomCount: ActivationCode.characterCount))
        // 256 is a multiple of 32: no letter is more likely than another.
        drawn.write { (target: inout MutableSpan<UInt8>) in
            for index in target.indices {
                target[index] = TextAlphabet.crockford.letters[Int(target[index] & 31)]
            }
        }
        self = try drawn.read { (letters) throws(ActivationError) in
            try ActivationCode(parsing: letters)
        }
    }

    /// Lends the code as it is shown, `XXXXX-XXXXX`.
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

    /// Whether somebody who is asked for a code might choose it, and so guess it: under five different
    /// letters, one half twice, or runs of the alphabet, of the digits or of a keyboard's rows. One
    /// drawn code in a thousand is, so drawn ones are not asked.
    package var isTrivial: Bool {
        characters.read { letters in
            let places = letters.indices.map { index in
                Int(TextAlphabet.crockford.value(of: letters[index]) ?? 0)
            }
            let steps = zip(places, places.dropFirst()).map { $1 - $0 }
            let expected = steps.indices.filter { index in
                let isSame = steps[index] == 0 || index > 0 && steps[index] == steps[index - 1]
                return isSame || areNeighbours(letters[index], letters[index + 1])
            }
            return Set(places).count < 5 || places[..<5] == places[5...] || expected.count >= 7
        }
    }
}

/// Whether two letters stand side by side in the alphabet or on a keyboard, in its rows and columns: 0 also behind 9, and what
/// Crockford's base32 reads for I, L and O in their places; U is none of its letters.
private func areNeighbours(_ one: UInt8, _ other: UInt8) -> Bool {
    let rows = [
        "01234567890", "ABCDEFGHJKMNPQRSTVWXYZ", "QWERTY", "Y10P", "ASDFGHJK1", "ZXCVBNM",
        "1QAZ2WSX3EDC4RFV5TGB6YHN7", "QAZWSXEDCRFVTGBYHN",
    ]
    return rows.contains { row in
        zip(row.utf8, row.utf8.dropFirst()).contains {
            $0 == one && $1 == other || $0 == other && $1 == one
        }
    }
}
