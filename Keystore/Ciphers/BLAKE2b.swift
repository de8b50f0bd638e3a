// BLAKE2b (RFC 7693), the hash of every format here: keyed for authentication, unkeyed for
// checksums and fingerprints. The state of a keyed hash is a secret and lies in guarded memory.
internal import CSodium

/// An incremental BLAKE2b.
@safe package struct BLAKE2b: ~Copyable {
    private var state: SecureBytes
    private let outputByteCount: Int

    /// Begins a hash keyed with 16...64 secret bytes.
    package init(byteCount: Int, key: borrowing SecureBytes) throws(KeystoreError) {
        self.outputByteCount = byteCount
        var state = try BLAKE2b.emptyState()
        unsafe state.withUnsafeMutableBytes { memory in
            unsafe key.withUnsafeBytes { key in
                _ = unsafe crypto_generichash_init(
                    pointer(memory), key.assumingMemoryBound(to: UInt8.self).baseAddress,
                    key.count, byteCount)
            }
        }
        self.state = state
    }

    package mutating func update(_ bytes: Span<UInt8>) {
        unsafe state.withUnsafeMutableBytes { memory in
            unsafe bytes.withUnsafeBufferPointer { buffer in
                _ = unsafe crypto_generichash_update(
                    pointer(memory), buffer.baseAddress, UInt64(buffer.count))
            }
        }
    }

    package mutating func update(_ bytes: [UInt8]) { update(bytes.span) }
    package mutating func update(_ text: StaticString) {
        text.withUTF8Buffer { update(unsafe Span(_unsafeElements: $0)) }
    }
    package mutating func update(_ secret: borrowing SecureBytes) { secret.read { update($0) } }

    /// The hash, for what is public.
    package consuming func finalize() -> [UInt8] {
        var output = [UInt8](repeating: 0, count: outputByteCount)
        unsafe state.withUnsafeMutableBytes { memory in
            _ = unsafe crypto_generichash_final(pointer(memory), &output, outputByteCount)
        }
        // What is hashed may be a secret even where the hash is not: its last block is on the stack.
        scrubStackAndRegisters(.shallow)
        return output
    }

    /// The hash, for what is a secret.
    package consuming func finalizeSecret() throws(KeystoreError) -> SecureBytes {
        var output = try SecureBytes(count: outputByteCount)
        unsafe state.withUnsafeMutableBytes { memory in
            unsafe output.withUnsafeMutableBytes { target in
                _ = unsafe crypto_generichash_final(
                    pointer(memory), target.assumingMemoryBound(to: UInt8.self).baseAddress!,
                    outputByteCount)
            }
        }
        scrubStackAndRegisters(.shallow)
        return output
    }

    private static func emptyState() throws(KeystoreError) -> SecureBytes {
        // 384 bytes, aligned to 64: a secret ends with its page, so that a multiple is aligned.
        try SecureBytes(count: crypto_generichash_statebytes())
    }
}

private func pointer(_ memory: UnsafeMutableRawBufferPointer) -> OpaquePointer {
    OpaquePointer(memory.baseAddress!)
}

/// BLAKE2b of public bytes in one call: no secret is in it, so that no guarded memory is needed
/// (38 µs the less).
package func blake2b(_ bytes: [UInt8], byteCount: Int) -> [UInt8] {
    blake2b(bytes, publicKey: [], byteCount: byteCount)
}

/// BLAKE2b of public bytes under a secret key, in one call: what it leaves on the stack is scrubbed.
func blake2b(_ bytes: [UInt8], key: borrowing SecureBytes, byteCount: Int) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: byteCount)
    unsafe key.withUnsafeBytes { key in
        _ = unsafe crypto_generichash(
            &output, byteCount, bytes, UInt64(bytes.count),
            key.assumingMemoryBound(to: UInt8.self).baseAddress, key.count)
    }
    scrubStackAndRegisters(.shallow)
    return output
}

/// BLAKE2b of public bytes under a secret key, in one call, for what is a secret.
package func blake2bSecret(
    _ bytes: [UInt8], key: borrowing SecureBytes, byteCount: Int
) throws(KeystoreError) -> SecureBytes {
    var output = try SecureBytes(count: byteCount)
    unsafe output.withUnsafeMutableBytes { target in
        unsafe key.withUnsafeBytes { key in
            _ = unsafe crypto_generichash(
                target.assumingMemoryBound(to: UInt8.self).baseAddress!, byteCount, bytes,
                UInt64(bytes.count), key.assumingMemoryBound(to: UInt8.self).baseAddress,
                key.count)
        }
    }
    scrubStackAndRegisters(.shallow)
    return output
}

/// BLAKE2b of the first bytes of a secret, in one call, where the hash is public: a checksum.
func blake2b(ofSecret secret: borrowing SecureBytes, prefix count: Int, byteCount: Int) -> [UInt8] {
    secret.read { blake2b(ofSecret: $0.extracting(0..<count), byteCount: byteCount) }
}

/// BLAKE2b of secret bytes that are lent, where the hash is public.
func blake2b(ofSecret bytes: Span<UInt8>, byteCount: Int) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: byteCount)
    unsafe bytes.withUnsafeBufferPointer { bytes in
        _ = unsafe crypto_generichash(
            &output, byteCount, bytes.baseAddress, UInt64(bytes.count), nil, 0)
    }
    scrubStackAndRegisters(.shallow)
    return output
}

/// BLAKE2b of the first bytes of a secret under a secret key: a MAC.
func blake2b(
    ofSecret secret: borrowing SecureBytes, prefix count: Int, key: borrowing SecureBytes,
    byteCount: Int
) -> [UInt8] {
    precondition(count <= secret.count, "the prefix lies in the secret")
    var output = [UInt8](repeating: 0, count: byteCount)
    unsafe secret.withUnsafeBytes { bytes in
        unsafe key.withUnsafeBytes { key in
            _ = unsafe crypto_generichash(
                &output, byteCount, bytes.assumingMemoryBound(to: UInt8.self).baseAddress,
                UInt64(count), key.assumingMemoryBound(to: UInt8.self).baseAddress, key.count)
        }
    }
    scrubStackAndRegisters(.shallow)
    return output
}

/// BLAKE2b of public bytes keyed with public bytes (a record's salt) in one call.
package func blake2b(_ bytes: [UInt8], publicKey: [UInt8], byteCount: Int) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: byteCount)
    let status = unsafe crypto_generichash(
        &output, byteCount, bytes, UInt64(bytes.count), publicKey, publicKey.count)
    precondition(status == 0, "16 to 64 bytes of output, at most 64 of key")
    return output
}

/// Whether two public or secret byte strings are the same, compared in constant time.
package func isEqualInConstantTime(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count, !left.isEmpty else { return left.count == right.count }
    return unsafe sodium_memcmp(left, right, left.count) == 0
}
