// An issuer's signing key: Ed25519 (RFC 8032) by libsodium. Bound by CONTRACT §4 and RECORDS.md §4.
internal import CSodium
package import Keystore

/// An issuer's private signing key.
package struct SigningKey: ~Copyable {
    /// libsodium's 64 bytes: the RFC 8032 seed and x.
    private let secret: SecureBytes
    package let verifyingKey: VerifyingKey

    /// Draws a new key.
    package init() throws(KeystoreError) {
        try self.init(seed: SecureBytes(randomCount: Int(crypto_sign_SEEDBYTES)))
    }

    /// The key that RFC 8032's 32 byte private key ("d" of RFC 8037) stands for.
    package init(seed: consuming SecureBytes) throws(KeystoreError) {
        precondition(seed.count == Int(crypto_sign_SEEDBYTES), "an Ed25519 private key: 32 bytes")
        var secret = try SecureBytes(count: Int(crypto_sign_SECRETKEYBYTES))
        var x = [UInt8](repeating: 0, count: Int(crypto_sign_PUBLICKEYBYTES))
        unsafe secret.withUnsafeMutableBytes { secret in
            unsafe seed.withUnsafeBytes { seed in
                _ = unsafe crypto_sign_seed_keypair(
                    &x, secret.assumingMemoryBound(to: UInt8.self).baseAddress!,
                    seed.assumingMemoryBound(to: UInt8.self).baseAddress!)
            }
        }
        guard let verifyingKey = VerifyingKey(x) else { throw .outOfMemory }
        self.secret = secret
        self.verifyingKey = verifyingKey
    }

    /// A copy for another thread: a secret is open for one at a time.
    package borrowing func copy() throws(KeystoreError) -> SigningKey {
        try readSeed { (seed) throws(KeystoreError) in
            try SigningKey(seed: SecureBytes(copying: seed))
        }
    }

    /// Lends the RFC 8032 private key (32 bytes), to be written to the issuer's key file.
    package borrowing func readSeed<R: ~Copyable, E: Error>(
        _ body: (Span<UInt8>) throws(E) -> R
    ) throws(E) -> R {
        try secret.read { (bytes) throws(E) in
            try body(bytes.extracting(0..<Int(crypto_sign_SEEDBYTES)))
        }
    }

    /// The detached signature (64 bytes) over `message`.
    package borrowing func sign(_ message: [UInt8]) -> [UInt8] {
        var signature = [UInt8](repeating: 0, count: Int(crypto_sign_BYTES))
        unsafe secret.withUnsafeBytes { secret in
            _ = unsafe crypto_sign_detached(
                &signature, nil, message, UInt64(message.count),
                secret.assumingMemoryBound(to: UInt8.self).baseAddress!)
        }
        return signature
    }
}
