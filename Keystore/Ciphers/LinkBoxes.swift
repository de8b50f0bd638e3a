// The two boxes in which a signed link carries its seed (CONTRACT §4): opened with an activation
// code, or with this device's own key. The seed goes from the box straight into guarded memory.
internal import CSodium

/// What both boxes are bound to: the issuer's x and the link's jti.
package struct LinkBinding: Equatable, Sendable {
    package let x: [UInt8]
    package let jti: [UInt8]

    package init(x: [UInt8], jti: [UInt8]) {
        precondition(x.count == 32 && jti.count == 16, "32 bytes of x, 16 of jti")
        self.x = x
        self.jti = jti
    }

    /// What a code's box is encrypted with: CONTRACT §4.
    package var additionalData: [UInt8] { Array("softtoken-link-1".utf8) + [0] + x + jti }
}

/// A seed encrypted under an activation code: XChaCha20-Poly1305-IETF under Argon2id13.
package struct CodeBox: Equatable, Sendable {
    /// CONTRACT §4: rejected outside, before any work.
    package static let operations = 2...10
    package static let memoryBytes = (64 << 20)...(1 << 30)

    package let salt: [UInt8]
    package let operations: Int
    package let memoryBytes: Int
    package let nonce: [UInt8]
    package let box: [UInt8]

    /// - Returns: nil for a salt that isn't 16 bytes, a nonce that isn't 24, a cost outside the
    ///   limits, or a box that can't hold a seed of 16...64 bytes.
    package init?(
        salt: [UInt8], operations: Int, memoryBytes: Int, nonce: [UInt8], box: [UInt8]
    ) {
        guard salt.count == 16, nonce.count == 24, (32...80).contains(box.count),
            CodeBox.operations.contains(operations), CodeBox.memoryBytes.contains(memoryBytes)
        else { return nil }
        self.salt = salt
        self.operations = operations
        self.memoryBytes = memoryBytes
        self.nonce = nonce
        self.box = box
    }

    /// Decrypts the seed with the activation code.
    ///
    /// - Parameter code: the ten characters in upper case, ASCII, in guarded memory.
    /// - Throws: `KeystoreError.boxNotOpened`, `.outOfMemory`.
    package func decrypt(
        code: borrowing SecureBytes, binding: LinkBinding
    ) throws(KeystoreError) -> Seed {
        let key = try CodeBox.key(
            of: code, salt: salt, operations: operations, memoryBytes: memoryBytes)
        var seed = try SecureBytes(count: box.count - 16)
        let additional = binding.additionalData
        let isOpened = unsafe key.withUnsafeBytes { key in
            unsafe seed.withUnsafeMutableBytes { seed in
                unsafe crypto_aead_xchacha20poly1305_ietf_decrypt(
                    seed.assumingMemoryBound(to: UInt8.self).baseAddress, nil, nil, box,
                    UInt64(box.count), additional, UInt64(additional.count), nonce,
                    key.assumingMemoryBound(to: UInt8.self).baseAddress!) == 0
            }
        }
        scrubStackAndRegisters(.deep)
        guard isOpened else { throw .boxNotOpened }
        return Seed(seed)
    }

    /// The key that a code stands for.
    package static func key(
        of code: borrowing SecureBytes, salt: [UInt8], operations: Int, memoryBytes: Int
    ) throws(KeystoreError) -> SecureBytes {
        try argon2id(code, salt: salt, operations: operations, memoryBytes: memoryBytes)
    }
}

/// A device's key pair for links sealed to it: X25519, for one activation (DESIGN §7).
package struct RequestKey: ~Copyable {
    private let secret: SecureBytes
    package let publicKey: [UInt8]

    /// Draws a new key pair.
    package init() throws(KeystoreError) {
        try self.init(secret: SecureBytes(randomCount: 32))
    }

    /// The key pair of a private key that was kept.
    package init(secret: consuming SecureBytes) throws(KeystoreError) {
        precondition(secret.count == 32, "an X25519 private key has 32 bytes")
        var publicKey = [UInt8](repeating: 0, count: 32)
        unsafe secret.withUnsafeBytes { secret in
            _ = unsafe crypto_scalarmult_base(
                &publicKey, secret.assumingMemoryBound(to: UInt8.self).baseAddress!)
        }
        scrubStackAndRegisters(.deep)
        self.secret = secret
        self.publicKey = publicKey
    }

    /// Lends the private key, to be written to the state folder.
    package borrowing func readSecret<R, E: Error>(
        _ body: (Span<UInt8>) throws(E) -> R
    ) throws(E) -> R {
        try secret.read(body)
    }

    /// Unseals a link's seed: crypto_box_seal over x ‖ jti ‖ seed.
    ///
    /// - Throws: `KeystoreError.boxNotOpened` when it is sealed to another device;
    ///   `.malformedBox` when x or jti aren't the link's own.
    package borrowing func unseal(
        _ box: [UInt8], binding: LinkBinding
    ) throws(KeystoreError) -> Seed {
        let contentCount = box.count - sealedBoxOverhead
        guard (48 + 16...48 + 64).contains(contentCount) else { throw .malformedBox }
        var content = try SecureBytes(count: contentCount)
        let isOpened = unsafe content.withUnsafeMutableBytes { content in
            unsafe secret.withUnsafeBytes { secret in
                unsafe crypto_box_seal_open(
                    content.assumingMemoryBound(to: UInt8.self).baseAddress!, box,
                    UInt64(box.count), publicKey,
                    secret.assumingMemoryBound(to: UInt8.self).baseAddress!) == 0
            }
        }
        scrubStackAndRegisters(.deep)
        guard isOpened else { throw .boxNotOpened }
        let expected = binding.x + binding.jti
        let isBound = content.read { content in
            expected.indices.allSatisfy { content[$0] == expected[$0] }
        }
        guard isBound else { throw .malformedBox }
        var seed = try SecureBytes(count: contentCount - 48)
        content.read { content in
            seed.write { (target: inout MutableSpan<UInt8>) in
                for index in target.indices { target[index] = content[48 + index] }
            }
        }
        return Seed(seed)
    }
}

/// crypto_box_SEALBYTES: the ephemeral public key and the tag.
package let sealedBoxOverhead = 48
