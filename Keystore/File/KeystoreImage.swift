// The keystore file taken apart, and put together: checksum, device, MAC, fields, in the order in
// which they must be judged. Bound by FORMAT.md §5 ("Opening, in order").

/// A whole keystore file of this device.
struct KeystoreImage: Equatable, Sendable {
    static let fileName = "keystore"
    static let maximumByteCount = 16 << 20
    /// Bounded, so that the next one can always be counted.
    static let generations: ClosedRange<UInt64> = 1...(1 << 63)

    var header: Header
    var publicSection: PublicSection
    var sealedKey: SealedKey
    var metadata: Box
    /// All slots, one after the other.
    var slots: [UInt8]

    var headerHash: [UInt8] { KeystoreImage.headerHash(header, publicSection.encoded) }

    static func headerHash(_ header: Header, _ publicBytes: [UInt8]) -> [UInt8] {
        blake2b(header.encoded + publicBytes, byteCount: 32)
    }

    func slot(_ number: UInt32) -> ArraySlice<UInt8> { slots[range(ofSlot: number)] }

    mutating func replaceSlot(_ number: UInt32, with bytes: [UInt8]) {
        slots.replaceSubrange(range(ofSlot: number), with: bytes)
    }

    private func range(ofSlot number: UInt32) -> Range<Int> {
        let start = Int(number) * SeedSlot.byteCount
        return start..<start + SeedSlot.byteCount
    }
}

/// A keystore file whose checksum is right: not yet known to be this device's.
struct UnverifiedKeystore {
    private let file: [UInt8]
    /// The machine's values that the header asks for, and the name it bears.
    let boundTo: BoundValues
    let deviceName: [UInt8]

    /// Steps 2 of FORMAT.md §5: length, magic, checksum.
    init(_ file: [UInt8]) throws(KeystoreError) {
        guard file.count >= 4096, file.starts(with: Header.magic) else {
            throw .damaged(.keystore)
        }
        let checksum = blake2b(Array(file.dropLast(64)), byteCount: 32)
        guard file.suffix(64).prefix(32).elementsEqual(checksum) else { throw .damaged(.keystore) }
        self.file = file
        boundTo = Header.boundTo(inFile: file)
        deviceName = Array(file[40..<56])
    }

    /// Step 4: the MAC, then every field.
    func verified(by deviceKey: borrowing DeviceKey) throws(KeystoreError) -> KeystoreImage {
        let isAuthentic = try deviceKey.withMACKey(.keystore) { $0.isAuthentic(file) }
        guard isAuthentic, let header = Header(Array(file.prefix(Header.byteCount))),
            header.fileByteCount == file.count
        else { throw .damaged(.keystore) }
        let metadataStart = SealedKey.endOffset + header.publicByteCount
        let slotsStart = metadataStart + Box.nonceByteCount + header.metadataByteCount
        guard
            let publicSection = PublicSection(Array(file[SealedKey.endOffset..<metadataStart]))
        else { throw .damaged(.keystore) }
        return KeystoreImage(
            header: header, publicSection: publicSection,
            sealedKey: SealedKey(file[SealedKey.offset..<SealedKey.endOffset]),
            metadata: Box(file[metadataStart..<slotsStart]),
            slots: Array(file[slotsStart..<file.count - 64]))
    }
}

extension KeystoreImage {
    /// The file's bytes, checksum and MAC included.
    func encoded(by deviceKey: borrowing DeviceKey) throws(KeystoreError) -> [UInt8] {
        var file = header.encoded
        file += sealedKey.bytes
        file += publicSection.encoded
        file += metadata.bytes
        file += slots
        file += blake2b(file, byteCount: 32)
        return try deviceKey.withMACKey(.keystore) { $0.authenticated(file) }
    }
}
