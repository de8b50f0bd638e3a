// privacyIDEA's two-step enrolment: a seed of two parts, one from the server's link and one drawn
// here and typed into its page. By nettle, because libsodium has no SHA-1. Bound by CONTRACT §5.
internal import CNettle
internal import Linux

extension Seed {
    /// The seed that both parts make: PBKDF2-HMAC-SHA-1 (RFC 8018 §5.2) of the lower-case
    /// hexadecimal of the server's part, with this device's part as salt.
    ///
    /// - Parameters:
    ///   - clientPart: drawn here; it is shown to be typed, and is no secret by itself.
    ///   - iterations: bounded by the caller before use.
    ///   - byteCount: 1...64.
    package init(
        serverPart: consuming Seed, clientPart: [UInt8], iterations: Int, byteCount: Int
    ) throws(KeystoreError) {
        let password = try hexadecimal(serverPart.bytes)
        self.init(
            try pbkdf2HMACSHA1(
                password, salt: clientPart, iterations: iterations, byteCount: byteCount))
    }
}

/// PBKDF2-HMAC-SHA-1.
func pbkdf2HMACSHA1(
    _ password: borrowing SecureBytes, salt: [UInt8], iterations: Int, byteCount: Int
) throws(KeystoreError) -> SecureBytes {
    precondition(iterations > 0 && !salt.isEmpty, "at least an iteration, and a salt")
    var key = try SecureBytes(count: byteCount)
    unsafe key.withUnsafeMutableBytes { key in
        unsafe password.withUnsafeBytes { password in
            unsafe nettle_pbkdf2_hmac_sha1(
                password.count, password.assumingMemoryBound(to: UInt8.self).baseAddress!,
                UInt32(iterations), salt.count, salt, key.count,
                key.assumingMemoryBound(to: UInt8.self).baseAddress!)
        }
    }
    // nettle's contexts lie on the stack here.
    scrubStackAndRegisters(.deep)
    return key
}

/// SHA-1 of public bytes: the checksum of base32check, no protection of anything.
package func sha1(_ bytes: [UInt8]) -> [UInt8] {
    var context = sha1_ctx()
    var digest = [UInt8](repeating: 0, count: 20)
    unsafe nettle_sha1_init(&context)
    unsafe nettle_sha1_update(&context, bytes.count, bytes)
    unsafe nettle_sha1_digest(&context, digest.count, &digest)
    return digest
}

private func hexadecimal(
    _ bytes: borrowing SecureBytes
) throws(KeystoreError) -> SecureBytes {
    var text = try SecureBytes(count: 2 * bytes.count)
    bytes.read { bytes in
        text.write { (target: inout MutableSpan<UInt8>) in
            var end = 0
            TextAlphabet.hexadecimal.encode(bytes) { letter in
                target[end] = letter
                end += 1
            }
        }
    }
    return text
}
