// One seed, encrypted by itself under its own key, in a slot of a fixed size: neither its length nor
// whether the slot is used can be seen. Bound by FORMAT.md §5 ("Seed slot").
internal import OTP

enum SeedSlot {
    private static let plainByteCount = 72
    /// nonce ‖ ciphertext ‖ tag
    static let byteCount = Box.nonceByteCount + plainByteCount + Box.tagByteCount

    /// What an unused slot holds.
    static func unused() -> [UInt8] { randomBytes(count: byteCount) }

    /// What a seed is encrypted for, so that it opens for nothing else.
    struct Place {
        let keystoreID: [UInt8]
        let tokenID: UInt64
        /// nil in a keystore whose seeds are sealed without them.
        let parameters: TokenParameters?

        /// The additional data.
        var additional: [UInt8] {
            var writer = ByteWriter()
            writer.append(parameters == nil ? "softtoken-seed-1" : "softtoken-seed-2")
            writer.append(keystoreID)
            writer.append(tokenID)
            parameters?.encodeUnmoved(to: &writer)
            return writer.bytes
        }
    }

    /// Encrypts a seed for its slot.
    static func encrypt(
        _ seed: borrowing Seed, for place: Place, keystoreKey: borrowing RootKey
    ) throws(KeystoreError) -> [UInt8] {
        var plain = try SecureBytes(count: plainByteCount)
        fill(&plain, at: 0, with: [UInt8(seed.byteCount)])
        fill(&plain, at: 1, with: seed.bytes)
        let key = try keystoreKey.subkey(place.tokenID, "stseedk1")
        return Box(encrypting: plain, key: key, additional: place.additional).bytes
    }

    /// Decrypts the seed straight into guarded memory; nil if the slot is not this token's.
    static func decrypt(
        _ slot: ArraySlice<UInt8>, for place: Place, keystoreKey: borrowing RootKey
    ) throws(KeystoreError) -> Seed? {
        let key = try keystoreKey.subkey(place.tokenID, "stseedk1")
        guard let plain = try Box(slot).decryptSecret(key: key, additional: place.additional)
        else { return nil }
        let length = plain.read { Int($0[0]) }
        guard (1...Seed.maximumByteCount).contains(length),
            plain.read({ bytes in (1 + length..<bytes.count).allSatisfy { bytes[$0] == 0 } })
        else { return nil }
        return Seed(try copy(1..<1 + length, of: plain))
    }
}

extension TokenParameters {
    /// The parameters without the counter, which moves at each use.
    fileprivate func encodeUnmoved(to writer: inout ByteWriter) {
        switch factor {
        case .time(let stepSeconds):
            writer.append(UInt8(1))
            writer.append(UInt64(stepSeconds))
        case .counter:
            writer.append(UInt8(2))
            writer.append(UInt64(0))
        }
        writer.append(algorithm.rawValue)
        writer.append(UInt8(digits.value))
    }
}

extension KeystoreImage {
    /// Where a token's seed belongs.
    func place(of tokenID: UInt64, _ parameters: TokenParameters) -> SeedSlot.Place {
        SeedSlot.Place(
            keystoreID: header.keystoreID, tokenID: tokenID,
            parameters: header.sealsParameters ? parameters : nil)
    }

    /// A token's seed; nil if its slot is damaged.
    func seed(
        of token: TokenMetadata, _ keystoreKey: borrowing RootKey
    ) throws(KeystoreError) -> Seed? {
        try SeedSlot.decrypt(
            slot(token.slot), for: place(of: token.id, token.parameters), keystoreKey: keystoreKey)
    }
}
