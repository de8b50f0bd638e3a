// One seed, encrypted by itself under its own key, in a slot of a fixed size: neither its length nor
// whether the slot is used can be seen. Bound by FORMAT.md §5 ("Seed slot").

enum SeedSlot {
    private static let plainByteCount = 72
    /// nonce ‖ ciphertext ‖ tag
    static let byteCount = Box.nonceByteCount + plainByteCount + Box.tagByteCount

    /// What an unused slot holds.
    static func unused() -> [UInt8] { randomBytes(count: byteCount) }

    /// Encrypts a seed for its slot.
    static func encrypt(
        _ seed: borrowing Seed, tokenID: UInt64, keystoreID: [UInt8], keystoreKey: borrowing RootKey
    ) throws(KeystoreError) -> [UInt8] {
        var plain = try SecureBytes(count: plainByteCount)
        fill(&plain, at: 0, with: [UInt8(seed.byteCount)])
        fill(&plain, at: 1, with: seed.bytes)
        let key = try keystoreKey.subkey(tokenID, "stseedk1")
        return Box(
            encrypting: plain, key: key, additional: additional(tokenID, keystoreID)
        ).bytes
    }

    /// Decrypts the seed straight into guarded memory; nil if the slot is not this token's.
    static func decrypt(
        _ slot: ArraySlice<UInt8>, tokenID: UInt64, keystoreID: [UInt8],
        keystoreKey: borrowing RootKey
    ) throws(KeystoreError) -> Seed? {
        let key = try keystoreKey.subkey(tokenID, "stseedk1")
        guard
            let plain = try Box(slot).decryptSecret(
                key: key, additional: additional(tokenID, keystoreID))
        else { return nil }
        let length = plain.read { Int($0[0]) }
        guard (1...Seed.maximumByteCount).contains(length),
            plain.read({ bytes in (1 + length..<bytes.count).allSatisfy { bytes[$0] == 0 } })
        else { return nil }
        return Seed(try copy(1..<1 + length, of: plain))
    }

    private static func additional(_ tokenID: UInt64, _ keystoreID: [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        writer.append("softtoken-seed-1")
        writer.append(keystoreID)
        writer.append(tokenID)
        return writer.bytes
    }
}
