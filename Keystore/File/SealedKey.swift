// The commitment and the wrapped keystore key: what a PIN is tried against. The AEAD alone does not
// commit to its key, so that the commitment is compared first. Bound by FORMAT.md §2, §5.

/// Bytes 96..199 of the keystore.
struct SealedKey: Equatable, Sendable {
    static let offset = 96
    static let endOffset = 200

    let commitment: [UInt8]
    let wrapped: Box

    init(_ bytes: ArraySlice<UInt8>) {
        commitment = Array(bytes.prefix(32))
        wrapped = Box(bytes.dropFirst(32))
    }

    var bytes: [UInt8] { commitment + wrapped.bytes }

    /// Wraps the keystore key.
    init(
        wrapping keystoreKey: borrowing SecureBytes, unlockKey: borrowing UnlockKey,
        headerHash: [UInt8]
    ) {
        commitment = unlockKey.commitment
        wrapped = Box(encrypting: keystoreKey, key: unlockKey.key, additional: headerHash)
    }
}

/// `unlock key ‖ commitment`: from PIN, device share, machine and header together.
struct UnlockKey: ~Copyable {
    let key: SecureBytes
    let commitment: [UInt8]

    init(
        pinKey: borrowing SecureBytes, share: borrowing DeviceShare, binding: MachineBinding,
        headerHash: [UInt8]
    ) throws(KeystoreError) {
        var hash = try BLAKE2b(byteCount: 64, key: pinKey)
        hash.update("softtoken-unlock-1")
        hash.update(share.bytes)
        hash.update(binding.bytes)
        hash.update(headerHash)
        let both = try hash.finalizeSecret()
        let key = try copy(0..<32, of: both)
        // The commitment is public: it lies in the file.
        commitment = both.read { bytes in (32..<64).map { bytes[$0] } }
        self.key = key
    }
}
