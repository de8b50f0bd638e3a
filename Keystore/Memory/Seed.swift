// The seed, from the moment it is decoded to the moment its MAC is made: it goes in and never comes
// out (DESIGN §1.2). Base32 and hexadecimal are decoded here, straight into guarded memory.
internal import Linux

/// The shared secret K of RFC 4226 §5.1.
package struct Seed: ~Copyable {
    /// The longest seed that is kept: CONTRACT §4.
    package static let maximumByteCount = 64
    /// RFC 4226 R6: 128 bits at least; shorter ones are accepted with a warning (CONTRACT §5).
    package static let recommendedByteCount = 16

    let bytes: SecureBytes
    package var byteCount: Int { bytes.count }

    package init(_ bytes: consuming SecureBytes) {
        precondition((1...Seed.maximumByteCount).contains(bytes.count), "1 to 64 bytes")
        self.bytes = bytes
    }
}

extension Seed {
    /// Lends the bytes to the issuer's side, which writes them out and seals them.
    ///
    /// `package` would open this door to every target of the package. An SPI opens it only to a
    /// file that says `@_spi(Issuer) import`; .ci/check-imports refuses that outside of
    /// Sources/KeystoreIssuer, which `softtoken` doesn't link.
    @_spi(Issuer) public borrowing func readBytes<R: ~Copyable, E: Error>(
        _ body: (Span<UInt8>) throws(E) -> R
    ) throws(E) -> R {
        try bytes.read(body)
    }
}

/// Why text is no seed.
package enum SeedFlaw: Equatable, Sendable {
    /// No character of a seed.
    case empty
    /// A character outside RFC 4648's base32 (space, dash and padding don't count).
    case notBase32
    /// More than 64 bytes.
    case tooLong
}

extension Seed {
    /// Decodes RFC 4648 base32 in either case, with spaces, dashes and padding, as people copy it.
    ///
    /// - Throws: `KeystoreError.malformedSeed`, `.outOfMemory`.
    ///
    /// Unused bits in the last character need not be zero (the wild's
    ///   links don't keep that).
    package init(base32 text: Span<UInt8>) throws(KeystoreError) {
        var digitCount = 0
        var isPadded = false
        for index in text.indices {
            switch text[index] {
            case UInt8(ascii: " "), UInt8(ascii: "-"): continue
            case UInt8(ascii: "="): isPadded = true
            case let character:
                guard !isPadded, TextAlphabet.base32.holds(character) else {
                    throw .malformedSeed(.notBase32)
                }
                digitCount += 1
            }
        }
        guard digitCount > 0 else { throw .malformedSeed(.empty) }
        guard let byteCount = TextAlphabet.base32.byteCount(ofLetters: digitCount) else {
            throw .malformedSeed(.notBase32)
        }
        guard byteCount <= Seed.maximumByteCount else { throw .malformedSeed(.tooLong) }
        var bytes = try SecureBytes(count: byteCount)
        bytes.write(decoding: text, as: .base32)
        scrubStackAndRegisters(.shallow)
        self.init(bytes)
    }
}
