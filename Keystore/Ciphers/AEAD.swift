// XChaCha20-Poly1305-IETF: for the wrapped key, the metadata and each seed. Bound by FORMAT.md §1.
internal import CSodium

/// A nonce and what was encrypted under it, tag included.
struct Box: Equatable, Sendable {
    static let nonceByteCount = 24
    static let tagByteCount = 16

    let nonce: [UInt8]
    let ciphertext: [UInt8]

    var bytes: [UInt8] { nonce + ciphertext }

    init(nonce: [UInt8], ciphertext: [UInt8]) {
        self.nonce = nonce
        self.ciphertext = ciphertext
    }

    /// Nonce and ciphertext as they lie in the file.
    init(_ bytes: ArraySlice<UInt8>) {
        nonce = Array(bytes.prefix(Box.nonceByteCount))
        ciphertext = Array(bytes.dropFirst(Box.nonceByteCount))
    }

    /// Encrypts a secret under a fresh nonce.
    init(
        encrypting secret: borrowing SecureBytes, key: borrowing SecureBytes, additional: [UInt8]
    ) {
        self = unsafe secret.withUnsafeBytes { unsafe Box($0, key: key, additional: additional) }
    }

    /// Encrypts public bytes (metadata) under a fresh nonce.
    init(encrypting bytes: [UInt8], key: borrowing SecureBytes, additional: [UInt8]) {
        self = unsafe bytes.withUnsafeBytes { unsafe Box($0, key: key, additional: additional) }
    }

    @unsafe private init(
        _ plain: UnsafeRawBufferPointer, key: borrowing SecureBytes, additional: [UInt8]
    ) {
        nonce = randomBytes(count: Box.nonceByteCount)
        var ciphertext = [UInt8](repeating: 0, count: plain.count + Box.tagByteCount)
        let nonce = nonce
        unsafe key.withUnsafeBytes { key in
            _ = unsafe crypto_aead_xchacha20poly1305_ietf_encrypt(
                &ciphertext, nil, plain.assumingMemoryBound(to: UInt8.self).baseAddress,
                UInt64(plain.count), additional, UInt64(additional.count), nil, nonce,
                key.assumingMemoryBound(to: UInt8.self).baseAddress!)
        }
        scrubStackAndRegisters(.shallow)
        self.ciphertext = ciphertext
    }

    /// Decrypts into guarded memory; nil if it doesn't open.
    func decryptSecret(
        key: borrowing SecureBytes, additional: [UInt8]
    ) throws(KeystoreError) -> SecureBytes? {
        guard ciphertext.count > Box.tagByteCount else { return nil }
        var plain = try SecureBytes(count: ciphertext.count - Box.tagByteCount)
        let isOpened = unsafe plain.withUnsafeMutableBytes {
            unsafe open(into: $0, key: key, additional: additional)
        }
        scrubStackAndRegisters(.shallow)
        guard isOpened else { return nil }
        return plain
    }

    /// Decrypts metadata into ordinary memory; nil if it doesn't open.
    func decrypt(key: borrowing SecureBytes, additional: [UInt8]) -> [UInt8]? {
        guard ciphertext.count >= Box.tagByteCount else { return nil }
        var plain = [UInt8](repeating: 0, count: ciphertext.count - Box.tagByteCount)
        let isOpened = unsafe plain.withUnsafeMutableBytes {
            unsafe open(into: $0, key: key, additional: additional)
        }
        scrubStackAndRegisters(.shallow)
        return isOpened ? plain : nil
    }

    @unsafe private func open(
        into plain: UnsafeMutableRawBufferPointer, key: borrowing SecureBytes, additional: [UInt8]
    ) -> Bool {
        unsafe key.withUnsafeBytes { key in
            unsafe crypto_aead_xchacha20poly1305_ietf_decrypt(
                plain.assumingMemoryBound(to: UInt8.self).baseAddress, nil, nil, ciphertext,
                UInt64(ciphertext.count), additional, UInt64(additional.count), nonce,
                key.assumingMemoryBound(to: UInt8.self).baseAddress!) == 0
        }
    }
}
