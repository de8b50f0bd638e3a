// Ed25519 (RFC 8032) of signed activation links, verified; KeystoreIssuer signs. libsodium rejects
// non-canonical and small-order points.
internal import CSodium

/// The public half of an issuer's signing key.
package struct VerifyingKey: Equatable, Sendable {
    /// The 32 bytes of x, RFC 8037 §2.
    package let bytes: [UInt8]

    /// - Returns: nil if it is not 32 bytes.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == Int(crypto_sign_PUBLICKEYBYTES) else { return nil }
        self.bytes = bytes
    }

    /// Whether it is a key that somebody can sign with: a point of the main group in its one spelling.
    /// Under one of small order anything verifies.
    package var isPoint: Bool { unsafe crypto_core_ed25519_is_valid_point(bytes) == 1 }

    /// Whether `signature` (64 bytes) is this key's over `message`.
    package func isValid(_ signature: [UInt8], of message: Span<UInt8>) -> Bool {
        guard signature.count == Int(crypto_sign_BYTES) else { return false }
        return unsafe message.withUnsafeBufferPointer { message in
            unsafe crypto_sign_verify_detached(
                signature, message.baseAddress, UInt64(message.count), bytes) == 0
        }
    }
}
