// A device's enrolment request: the public key to which an issuer seals a link. Bound by
// CONTRACT §4.
internal import Keystore
internal import Linux

/// An enrolment request, on either side.
package struct EnrolmentRequest: Equatable, Sendable {
    static let prefix = "softtoken:request#"
    private static let version: UInt8 = 1
    /// The device's X25519 public key, 32 bytes.
    package let publicKey: [UInt8]
    /// `XXXX-XXXX-XXXX-XXXX`, which both sides read out: 80 bits, so that nobody finds another key
    /// with the same.
    package let verification: String
    /// The request as it is sent.
    package let text: String

    /// The request of a device's key.
    ///
    /// - Throws: `KeystoreError`, where hashing finds no memory.
    package init(publicKey: [UInt8]) {
        precondition(publicKey.count == 32, "an X25519 public key has 32 bytes")
        let content = [EnrolmentRequest.version] + publicKey
        let digest = blake2b(content, byteCount: 32)
        self.publicKey = publicKey
        verification = fingerprint(ofDigest: digest)
        text = EnrolmentRequest.prefix + TextAlphabet.base64URL.text(content + digest[0..<4])
    }

    /// Parses a request; white space, angle brackets and quotation marks around it don't count.
    ///
    /// - Throws: `ActivationError.malformedRequest`.
    package init(parsing text: Span<UInt8>) throws(ActivationError) {
        let request = text.extracting(withoutBrackets(text, text.indices))
        guard request.hasPrefix(EnrolmentRequest.prefix) else { throw .malformedRequest }
        let letters = request.extracting(EnrolmentRequest.prefix.utf8.count...)
        guard let bytes = TextAlphabet.base64URL.bytes(letters), bytes.count == 1 + 32 + 4 else {
            throw .malformedRequest
        }
        self = EnrolmentRequest(publicKey: Array(bytes[1..<33]))
        // The version and the checksum are compared with it.
        guard self.text == EnrolmentRequest.prefix + TextAlphabet.base64URL.text(bytes) else {
            throw .malformedRequest
        }
    }
}
