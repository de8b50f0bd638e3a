// Argon2id (RFC 9106) by libsodium's crypto_pwhash, the cost of one guess. Bound by DESIGN §3.
internal import CLinux
internal import CSodium

/// Argon2id13 of a secret, 32 bytes.
///
/// - Parameters:
///   - salt: 16 bytes.
///   - operations: passes over the memory.
///   - memoryBytes: bounded by the caller before use.
/// - Throws: `KeystoreError.outOfMemory`; a failure, never "wrong PIN".
func argon2id(
    _ secret: borrowing SecureBytes, salt: [UInt8], operations: Int, memoryBytes: Int
) throws(KeystoreError) -> SecureBytes {
    precondition(salt.count == Int(crypto_pwhash_SALTBYTES), "a salt has 16 bytes")
    var key = try SecureBytes(count: 32)
    // 256 MiB in huge pages: 128 page faults for 65,536, and 0.72 of the time.
    st_use_huge_pages(1)
    defer { st_use_huge_pages(0) }
    let isDerived = unsafe key.withUnsafeMutableBytes { key in
        unsafe secret.withUnsafeBytes { secret in
            unsafe crypto_pwhash(
                key.assumingMemoryBound(to: UInt8.self).baseAddress!, UInt64(key.count),
                secret.assumingMemoryBound(to: CChar.self).baseAddress!, UInt64(secret.count),
                salt, UInt64(operations), memoryBytes, crypto_pwhash_ALG_ARGON2ID13) == 0
        }
    }
    // crypto_pwhash leaves its output on the stack and in vector registers (found 1 to 6 times).
    scrubStackAndRegisters(.deep)
    guard isDerived else { throw .outOfMemory }
    return key
}
