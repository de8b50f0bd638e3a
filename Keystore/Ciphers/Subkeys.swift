// Keys drawn from keys, and the MACs made with them. Bound by FORMAT.md §2.
internal import CSodium

/// A 256 bit key from which others are drawn: libsodium's crypto_kdf.
struct RootKey: ~Copyable {
    let bytes: SecureBytes

    init(_ bytes: consuming SecureBytes) { self.bytes = bytes }

    /// `KDF(key, number, context)` of FORMAT.md §2.
    func subkey(_ number: UInt64, _ context: StaticString) throws(KeystoreError) -> SecureBytes {
        var subkey = try SecureBytes(count: 32)
        unsafe subkey.withUnsafeMutableBytes { unsafe derive(number, context, into: $0) }
        return subkey
    }

    /// The MAC key that is drawn so, for one use.
    func withMACKey<R: ~Copyable>(
        _ number: UInt64, _ context: StaticString,
        _ body: (borrowing MACKey) throws(KeystoreError) -> R
    ) throws(KeystoreError) -> R {
        let subkey = try unsafe SecureBytes.unclosed(count: 32) { (subkey) throws(KeystoreError) in
            unsafe derive(number, context, into: subkey)
        }
        return try body(MACKey(subkey))
    }

    private func derive(
        _ number: UInt64, _ context: StaticString, into subkey: UnsafeMutableRawBufferPointer
    ) {
        precondition(context.utf8CodeUnitCount == 8, "crypto_kdf takes a context of eight bytes")
        unsafe bytes.withUnsafeBytes { key in
            context.withUTF8Buffer { context in
                _ = unsafe crypto_kdf_derive_from_key(
                    subkey.assumingMemoryBound(to: UInt8.self).baseAddress!, subkey.count, number,
                    UnsafeRawBufferPointer(context).assumingMemoryBound(to: CChar.self)
                        .baseAddress!,
                    key.assumingMemoryBound(to: UInt8.self).baseAddress!)
            }
        }
        scrubStackAndRegisters(.shallow)
    }
}

/// A key that authenticates one kind of file.
package struct MACKey: ~Copyable {
    private let key: SecureBytes

    init(_ key: consuming SecureBytes) { self.key = key }

    /// `H(32, key, parts)`.
    package func mac(of parts: [UInt8]...) -> [UInt8] {
        var message: [UInt8] = []
        for part in parts { message += part }
        return blake2b(message, key: key, byteCount: 32)
    }

    /// `H(32, key, the first bytes of a secret)`.
    func mac(ofSecret secret: borrowing SecureBytes, byteCount: Int) -> [UInt8] {
        blake2b(ofSecret: secret, prefix: byteCount, key: key, byteCount: 32)
    }

    /// Whether the last 32 bytes of `file` are the MAC of what precedes them and of `context`.
    func isAuthentic(_ file: [UInt8], context: [UInt8] = []) -> Bool {
        guard file.count > 32 else { return false }
        let content = Array(file.dropLast(32))
        return isEqualInConstantTime(mac(of: content, context), Array(file.suffix(32)))
    }

    /// `content` with its MAC after it.
    func authenticated(_ content: [UInt8], context: [UInt8] = []) -> [UInt8] {
        content + mac(of: content, context)
    }
}
