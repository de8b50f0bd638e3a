// The keys of a token vendor's PSKC file: RFC 6030 §6 (AES-CBC, AES key wrap, PBKDF2, ValueMAC), by
// nettle. What is decrypted goes straight into guarded memory.
internal import CNettle
@_spi(Issuer) package import Keystore
package import OTP

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

/// What the bytes of a CBC value's padding hold before the last one, which counts them.
package enum PSKCPadding: Sendable {
    /// Anything: XML Encryption §5.2.
    case any
    /// The same number, as `PSKCKey.encrypt` writes it.
    case count
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

/// A key that encrypts or authenticates the values of a PSKC file: one, whoever refers to it.
package final class PSKCKey: Sendable {
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

    /// Decrypts a value. Verify its MAC first: CBC's padding must not answer questions.
    ///
    /// - Returns: nil where the key, as its length, padding or integrity block say, or the value can't
    ///   be the right one.
    /// - Throws: `KeystoreError.outOfMemory`.
    package func decrypt(
        _ value: [UInt8], cipher: PSKCCipher, padding: PSKCPadding = .any
    ) throws(KeystoreError) -> SecureBytes? {
        guard byteCount == cipher.keyByteCount else { return nil }
        return switch cipher {
        case .cbc: try decryptCBC(value, padding)
        case .keyWrap: try unwrap(value)
        }
    }

    /// Encrypts a seed: a drawn IV, then AES-CBC with XML Encryption's padding (§5.2).
    ///
    /// - Throws: `KeystoreError.outOfMemory`.
    package func encrypt(_ seed: borrowing Seed) throws(KeystoreError) -> [UInt8] {
        let count = (seed.byteCount / block + 1) * block
        var padded = try SecureBytes(count: count)
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
        try unsafe withKey(MemoryLayout<st_aes_context>.stride) { context, key in
            let isDone = unsafe padded.withUnsafeBytes { padded in
                unsafe st_aes_cbc_encrypt(
                    context, byteCount, key, &iv, count, &encrypted, octets(padded)) == 1
            }
            precondition(isDone, "an AES key")
        }
        return start + encrypted
    }

    /// This key's HMAC over a value (IV and ciphertext); a key has 64 bytes at most.
    ///
    /// - Throws: `KeystoreError.outOfMemory`.
    package func mac(
        of value: [UInt8], algorithm: HashAlgorithm
    ) throws(KeystoreError) -> [UInt8] {
        let key = Seed(
            try bytes.read { (bytes) throws(KeystoreError) in try SecureBytes(copying: bytes) })
        var generator = try CodeGenerator(seed: key, algorithm: algorithm)
        let mac = generator.mac(of: value)
        scrubStackAndRegisters(.deep)
        return mac
    }
}

private let block = 16

extension PSKCKey {
    /// Lends the key, and guarded memory for what nettle makes of it.
    @unsafe private func withKey(
        _ contextByteCount: Int, _ body: (UnsafeMutableRawPointer, UnsafePointer<UInt8>) -> Void
    ) throws(KeystoreError) {
        var context = try SecureBytes(count: contextByteCount)
        unsafe context.withUnsafeMutableBytes { context in
            unsafe bytes.withUnsafeBytes { key in
                unsafe body(context.baseAddress!, octets(key))
            }
        }
        scrubStackAndRegisters(.deep)
    }

    private func decryptCBC(
        _ value: [UInt8], _ padding: PSKCPadding
    ) throws(KeystoreError) -> SecureBytes? {
        // The IV and a block of padding at least.
        guard value.count >= 2 * block, value.count.isMultiple(of: block) else { return nil }
        var iv = Array(value[..<block])
        let encrypted = Array(value[block...])
        var padded = try SecureBytes(count: encrypted.count)
        try unsafe withKey(MemoryLayout<st_aes_context>.stride) { context, key in
            unsafe padded.withUnsafeMutableBytes { padded in
                _ = unsafe st_aes_cbc_decrypt(
                    context, byteCount, key, &iv, encrypted.count, octets(padded), encrypted)
            }
        }
        return try trimmed(padded) { all in
            let count = Int(all[all.count - 1])
            guard (1...block).contains(count), count < all.count else { return nil }
            let clear = all.count - count
            guard padding == .any || (clear..<all.count).allSatisfy({ all[$0] == count }) else {
                return nil
            }
            return clear
        }
    }

    private func unwrap(_ value: [UInt8]) throws(KeystoreError) -> SecureBytes? {
        // A block of 64 bits at least, and the integrity block.
        guard value.count >= 16, value.count.isMultiple(of: 8) else { return nil }
        var clear = try SecureBytes(count: value.count - 8)
        var check = [UInt8](repeating: 0, count: 8)
        try unsafe withKey(MemoryLayout<st_unwrap_context>.stride) { context, key in
            unsafe clear.withUnsafeMutableBytes { clear in
                _ = unsafe st_aes_key_unwrap(
                    context, byteCount, key, clear.count, octets(clear), &check, value)
            }
        }
        // RFC 3394 §2.2.3.1; two blocks at least.
        if clear.count >= 16, check.allSatisfy({ $0 == 0xA6 }) { return clear }
        // RFC 5649 §3: the integrity block says how many bytes there are; zeros follow them.
        let count = check[4...].reduce(0) { $0 << 8 | Int($1) }
        guard check.starts(with: [0xA6, 0x59, 0x59, 0xA6]),
            (clear.count - 7...clear.count).contains(count)
        else { return nil }
        return try trimmed(clear) { all in
            (count..<all.count).allSatisfy { all[$0] == 0 } ? count : nil
        }
    }
}

/// The first bytes, as many as `length` says; nil where it says none.
private func trimmed(
    _ padded: borrowing SecureBytes, to length: (Span<UInt8>) -> Int?
) throws(KeystoreError) -> SecureBytes? {
    try padded.read { (all) throws(KeystoreError) -> SecureBytes? in
        guard let count = length(all) else { return nil }
        return try SecureBytes(copying: all.extracting(0..<count))
    }
}

@unsafe private func derive(
    _ password: UnsafeRawBufferPointer, _ parameters: PBKDF2Parameters,
    into key: UnsafeMutableRawBufferPointer
) {
    let function =
        switch parameters.algorithm {
        case .sha1: unsafe nettle_pbkdf2_hmac_sha1
        case .sha256: unsafe nettle_pbkdf2_hmac_sha256
        case .sha512: unsafe nettle_pbkdf2_hmac_sha512
        }
    unsafe function(
        password.count, octets(password), UInt32(parameters.iterationCount), parameters.salt.count,
        parameters.salt, key.count, octets(key))
}

@unsafe private func octets(_ bytes: UnsafeRawBufferPointer) -> UnsafePointer<UInt8> {
    unsafe bytes.assumingMemoryBound(to: UInt8.self).baseAddress!
}

@unsafe private func octets(
    _ bytes: UnsafeMutableRawBufferPointer
) -> UnsafeMutablePointer<UInt8> {
    unsafe bytes.assumingMemoryBound(to: UInt8.self).baseAddress!
}
