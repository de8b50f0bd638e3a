// The keys of a token vendor's PSKC file: RFC 6030 §6 (AES-CBC, AES key wrap, PBKDF2, ValueMAC), by
// nettle. What is decrypted goes straight into guarded memory.
internal import CNettle
@_spi(Issuer) package import Keystore
package import OTP

/// Why a PSKC value was not decrypted.
package enum PSKCKeyError: Error, Equatable, Sendable {
    /// The key is not the length that the algorithm takes.
    case wrongKeyLength
    /// The MAC or the key wrap's integrity check says that the key or the file is wrong.
    case notAuthentic
    /// The value can't have been made by this algorithm.
    case malformed
    case outOfMemory
}

/// How a PSKC value is encrypted.
package enum PSKCCipher: Equatable, Sendable {
    /// XML Encryption §5.2.2: IV, then AES-CBC; needs a ValueMAC.
    case cbc(keyByteCount: Int)
    /// XML Encryption §5.6.3, RFC 3394, or padded as in RFC 5649; checks its own integrity.
    case keyWrap(keyByteCount: Int)

    package var keyByteCount: Int {
        switch self {
        case .cbc(let count), .keyWrap(let count): count
        }
    }
}

/// The parameters of RFC 8018's PBKDF2, bounded before any work.
package struct PBKDF2Parameters: Equatable, Sendable {
    /// A hostile file must not keep the program busy for hours.
    package static let iterations = 1...10_000_000
    package static let saltByteCounts = 1...1024

    package let salt: [UInt8]
    package let iterationCount: Int
    package let algorithm: HashAlgorithm

    /// - Returns: nil outside the limits.
    package init?(salt: [UInt8], iterationCount: Int, algorithm: HashAlgorithm) {
        guard PBKDF2Parameters.saltByteCounts.contains(salt.count),
            PBKDF2Parameters.iterations.contains(iterationCount)
        else { return nil }
        self.salt = salt
        self.iterationCount = iterationCount
        self.algorithm = algorithm
    }
}

/// A key that encrypts or authenticates the values of a PSKC file.
package struct PSKCKey: ~Copyable {
    private let bytes: SecureBytes
    package var byteCount: Int { bytes.count }

    package init(_ bytes: consuming SecureBytes) { self.bytes = bytes }

    /// Derives the key from a password. RFC 6030 §6.2.
    package init(
        password: borrowing SecureBytes, parameters: PBKDF2Parameters, byteCount: Int
    ) throws(KeystoreError) {
        precondition([16, 24, 32].contains(byteCount), "an AES key")
        var key = try SecureBytes(count: byteCount)
        unsafe key.withUnsafeMutableBytes { key in
            unsafe password.withUnsafeBytes { password in
                unsafe derive(password, parameters, into: key)
            }
        }
        scrubStackAndRegisters(.deep)
        bytes = key
    }

    /// A copy, for a file whose values are authenticated with the encryption key itself.
    package borrowing func copy() throws(KeystoreError) -> PSKCKey {
        PSKCKey(try copiedBytes())
    }

    /// Decrypts a value. Verify its MAC first: CBC's padding must not answer questions.
    package borrowing func decrypt(
        _ value: [UInt8], cipher: PSKCCipher
    ) throws(PSKCKeyError) -> SecureBytes {
        guard byteCount == cipher.keyByteCount else { throw .wrongKeyLength }
        switch cipher {
        case .cbc: return try decryptCBC(value)
        case .keyWrap: return try unwrap(value)
        }
    }

    /// Encrypts a seed: a drawn IV, then AES-CBC with XML Encryption's padding (§5.2).
    ///
    /// - Throws: `PSKCKeyError.wrongKeyLength`, `.outOfMemory`.
    package borrowing func encrypt(_ seed: borrowing Seed) throws(PSKCKeyError) -> [UInt8] {
        let block = 16
        let count = (seed.byteCount / block + 1) * block
        var padded = try secureBytes(count: count)
        padded.write { (target: inout MutableSpan<UInt8>) in
            seed.readBytes { seed in
                for index in seed.indices { target[index] = seed[index] }
                for index in seed.count..<count { target[index] = UInt8(count - seed.count) }
            }
        }
        let start = randomBytes(count: block)
        // nettle moves the IV along.
        var iv = start
        var encrypted = [UInt8](repeating: 0, count: count)
        var context = try secureBytes(count: MemoryLayout<st_aes_context>.stride)
        let isDone = unsafe context.withUnsafeMutableBytes { context in
            unsafe bytes.withUnsafeBytes { key in
                unsafe padded.withUnsafeBytes { padded in
                    unsafe st_aes_cbc_encrypt(
                        context.baseAddress!, key.count, octets(key), &iv, count, &encrypted,
                        octets(padded)) == 1
                }
            }
        }
        scrubStackAndRegisters(.deep)
        guard isDone else { throw .wrongKeyLength }
        return start + encrypted
    }

    /// This key's HMAC over a value (IV and ciphertext).
    ///
    /// - Throws: `PSKCKeyError.wrongKeyLength` for a key over 64 bytes; `.outOfMemory`.
    package borrowing func mac(
        of value: [UInt8], algorithm: HashAlgorithm
    ) throws(PSKCKeyError) -> [UInt8] {
        guard byteCount <= Seed.maximumByteCount else { throw .wrongKeyLength }
        do throws(KeystoreError) {
            let key = Seed(try copiedBytes())
            var generator = try CodeGenerator(seed: key, algorithm: algorithm)
            let mac = generator.mac(of: value)
            scrubStackAndRegisters(.deep)
            return mac
        } catch { throw .outOfMemory }
    }

    /// Whether `mac` is this key's HMAC over a value (IV and ciphertext), in constant time.
    ///
    /// - Throws: `PSKCKeyError.wrongKeyLength` for a key over 64 bytes; `.outOfMemory`.
    package borrowing func isValid(
        _ mac: [UInt8], of value: [UInt8], algorithm: HashAlgorithm
    ) throws(PSKCKeyError) -> Bool {
        isEqualInConstantTime(mac, try self.mac(of: value, algorithm: algorithm))
    }
}

extension PSKCKey {
    private borrowing func copiedBytes() throws(KeystoreError) -> SecureBytes {
        try bytes.read { (bytes) throws(KeystoreError) in try SecureBytes(copying: bytes) }
    }

    private borrowing func decryptCBC(_ value: [UInt8]) throws(PSKCKeyError) -> SecureBytes {
        let block = 16
        // The IV and a block of padding at least.
        guard value.count >= 2 * block, value.count.isMultiple(of: block) else { throw .malformed }
        var iv = Array(value[..<block])
        let encrypted = Array(value[block...])
        var padded = try secureBytes(count: encrypted.count)
        var context = try secureBytes(count: MemoryLayout<st_aes_context>.stride)
        unsafe context.withUnsafeMutableBytes { context in
            unsafe bytes.withUnsafeBytes { key in
                unsafe padded.withUnsafeMutableBytes { padded in
                    _ = unsafe st_aes_cbc_decrypt(
                        context.baseAddress!, key.count, octets(key), &iv, encrypted.count,
                        octets(padded), encrypted)
                }
            }
        }
        scrubStackAndRegisters(.deep)
        return try withoutPadding(padded)
    }

    private borrowing func unwrap(_ value: [UInt8]) throws(PSKCKeyError) -> SecureBytes {
        // A block of 64 bits at least, and the integrity block.
        guard value.count >= 16, value.count.isMultiple(of: 8) else { throw .malformed }
        var clear = try secureBytes(count: value.count - 8)
        var context = try secureBytes(count: MemoryLayout<st_unwrap_context>.stride)
        var check = [UInt8](repeating: 0, count: 8)
        unsafe context.withUnsafeMutableBytes { context in
            unsafe bytes.withUnsafeBytes { key in
                unsafe clear.withUnsafeMutableBytes { clear in
                    _ = unsafe st_aes_key_unwrap(
                        context.baseAddress!, key.count, octets(key), clear.count, octets(clear),
                        &check, value)
                }
            }
        }
        scrubStackAndRegisters(.deep)
        // RFC 3394 §2.2.3.1; two blocks at least.
        if clear.count >= 16, check.allSatisfy({ $0 == 0xA6 }) { return clear }
        return try withoutZeros(clear, check)
    }
}

/// RFC 5649 §3: the integrity block says how many bytes there are; zeros follow them.
private func withoutZeros(
    _ padded: borrowing SecureBytes, _ check: [UInt8]
) throws(PSKCKeyError) -> SecureBytes {
    let count = check[4...].reduce(0) { $0 << 8 | Int($1) }
    guard Array(check[..<4]) == [0xA6, 0x59, 0x59, 0xA6],
        (padded.count - 7...padded.count).contains(count)
    else { throw .notAuthentic }
    return try trimmed(padded, otherwise: .notAuthentic) { all in
        (count..<all.count).allSatisfy { all[$0] == 0 } ? count : nil
    }
}

/// XML Encryption §5.2: the last byte counts the padding; what the others hold doesn't matter.
private func withoutPadding(_ padded: borrowing SecureBytes) throws(PSKCKeyError) -> SecureBytes {
    try trimmed(padded, otherwise: .malformed) { all in
        let count = Int(all[all.count - 1])
        return (1...16).contains(count) && count < all.count ? all.count - count : nil
    }
}

/// The first bytes, as many as `length` says; nil is `problem`.
private func trimmed(
    _ padded: borrowing SecureBytes, otherwise problem: PSKCKeyError,
    to length: (Span<UInt8>) -> Int?
) throws(PSKCKeyError) -> SecureBytes {
    do throws(KeystoreError) {
        let clear = try padded.read { (all) throws(KeystoreError) -> SecureBytes? in
            guard let count = length(all) else { return nil }
            return try SecureBytes(copying: all.extracting(0..<count))
        }
        if let clear { return clear }
    } catch { throw .outOfMemory }
    throw problem
}

private func secureBytes(count: Int) throws(PSKCKeyError) -> SecureBytes {
    do throws(KeystoreError) { return try SecureBytes(count: count) } catch {
        throw .outOfMemory
    }
}

@unsafe private func derive(
    _ password: UnsafeRawBufferPointer, _ parameters: PBKDF2Parameters,
    into key: UnsafeMutableRawBufferPointer
) {
    let rounds = UInt32(parameters.iterationCount)
    let salt = parameters.salt
    switch parameters.algorithm {
    case .sha1:
        unsafe nettle_pbkdf2_hmac_sha1(
            password.count, octets(password), rounds, salt.count, salt, key.count, octets(key))
    case .sha256:
        unsafe nettle_pbkdf2_hmac_sha256(
            password.count, octets(password), rounds, salt.count, salt, key.count, octets(key))
    case .sha512:
        unsafe nettle_pbkdf2_hmac_sha512(
            password.count, octets(password), rounds, salt.count, salt, key.count, octets(key))
    }
}

@unsafe private func octets(_ bytes: UnsafeRawBufferPointer) -> UnsafePointer<UInt8> {
    unsafe bytes.assumingMemoryBound(to: UInt8.self).baseAddress!
}

@unsafe private func octets(
    _ bytes: UnsafeMutableRawBufferPointer
) -> UnsafeMutablePointer<UInt8> {
    unsafe bytes.assumingMemoryBound(to: UInt8.self).baseAddress!
}
