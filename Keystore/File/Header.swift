// The keystore's header and public section: what is known without a PIN, authenticated with the
// device key and bounded before use. Bound by FORMAT.md §5.

/// Argon2id's cost, never below libsodium's MODERATE (DESIGN §3).
package struct KDFCost: Equatable, Sendable {
    static let operationLimits = 3...12
    static let memoryLimits = (256 << 20)...(1 << 30)
    /// 256 MiB, 3 passes: 0.5 to 0.9 s on one core.
    package static let moderate = KDFCost(operations: 3, memoryBytes: 256 << 20)

    package let operations: Int
    package let memoryBytes: Int
}

/// Bytes 0..95 of the keystore.
struct Header: Equatable, Sendable {
    static let byteCount = 96
    static let magic = Array("ST-KEYS1".utf8)
    static let sectionUnit = 2048
    static let tagByteCount = 16

    var protector: Protector
    var isBound: Bool
    var cost: KDFCost
    var salt: [UInt8]
    var deviceName: [UInt8]
    var keystoreID: [UInt8]
    var generation: UInt64
    var publicByteCount: Int
    var metadataByteCount: Int
    var slotCount: Int

    /// The file's length, exactly.
    var fileByteCount: Int {
        SealedKey.endOffset + publicByteCount + 24 + metadataByteCount
            + slotCount * SeedSlot.byteCount + 64
    }

    var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.append(Header.magic)
        writer.append(protector.rawValue)
        writer.append(UInt8(isBound ? 1 : 0))
        writer.append(UInt16(0))
        writer.append(UInt32(cost.operations))
        writer.append(UInt64(cost.memoryBytes))
        writer.append(salt)
        writer.append(deviceName)
        writer.append(keystoreID)
        writer.append(generation)
        writer.append(UInt32(publicByteCount))
        writer.append(UInt32(metadataByteCount))
        writer.append(UInt32(slotCount))
        writer.append(UInt32(0))
        return writer.bytes
    }

    /// Parses and bounds every field; nil if one is outside of FORMAT.md §5.
    init?(_ bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard reader.bytes(8) == Header.magic,
            let protector = reader.integer(UInt8.self).flatMap(Protector.init(rawValue:)),
            let bound = reader.integer(UInt8.self), bound <= 1, reader.skipsZeros(2),
            let operations = reader.integer(UInt32.self),
            let memoryBytes = reader.integer(UInt64.self),
            let salt = reader.bytes(16), let deviceName = reader.bytes(16),
            let keystoreID = reader.bytes(16), let generation = reader.integer(UInt64.self),
            let publicByteCount = reader.integer(UInt32.self),
            let metadataByteCount = reader.integer(UInt32.self),
            let slotCount = reader.integer(UInt32.self), reader.skipsZeros(4),
            KDFCost.operationLimits.contains(Int(operations)),
            memoryBytes <= UInt64(Int.max), KDFCost.memoryLimits.contains(Int(memoryBytes)),
            KeystoreImage.generations.contains(generation),
            Header.isSection(Int(publicByteCount), limit: 262_144),
            metadataByteCount > 16,
            Header.isSection(Int(metadataByteCount) - Header.tagByteCount, limit: 8_388_608),
            slotCount.isMultiple(of: 8), (8...16_384).contains(slotCount)
        else { return nil }
        self.protector = protector
        isBound = bound == 1
        cost = KDFCost(operations: Int(operations), memoryBytes: Int(memoryBytes))
        self.salt = salt
        self.deviceName = deviceName
        self.keystoreID = keystoreID
        self.generation = generation
        self.publicByteCount = Int(publicByteCount)
        self.metadataByteCount = Int(metadataByteCount)
        self.slotCount = Int(slotCount)
    }

    /// The header of a new keystore, before its first writing.
    init(protector: Protector, isBound: Bool, cost: KDFCost, deviceName: [UInt8]) {
        self.protector = protector
        self.isBound = isBound
        self.cost = cost
        salt = randomBytes(count: 16)
        self.deviceName = deviceName
        keystoreID = randomBytes(count: 16)
        generation = 0
        publicByteCount = 0
        metadataByteCount = 0
        slotCount = 0
    }

    private static func isSection(_ byteCount: Int, limit: Int) -> Bool {
        byteCount.isMultiple(of: sectionUnit) && byteCount >= sectionUnit && byteCount <= limit
    }
}

/// What must be checked before a PIN: the living tokens' strictest policy and the prescribing
/// records.
package struct PublicSection: Equatable, Sendable {
    package static let maximumRecords = 64
    package static let maximumRecordBytes = 2048

    package var policy = TokenPolicy()
    /// Each in its transferable form, CONTRACT §4.
    package var prescribingRecords: [String] = []
    /// Of the trusted issuers, sorted; 32 bytes each.
    var issuerTags: [[UInt8]] = []

    var encoded: [UInt8] {
        var writer = ByteWriter()
        policy.encode(to: &writer)
        writer.append(UInt8(prescribingRecords.count))
        for record in prescribingRecords {
            writer.append(UInt16(record.utf8.count))
            writer.append(Array(record.utf8))
        }
        writer.append(UInt8(issuerTags.count))
        for tag in issuerTags { writer.append(tag) }
        writer.pad(toMultipleOf: Header.sectionUnit)
        return writer.bytes
    }

    init() {}

    /// Parses the padded section; nil if it breaks FORMAT.md §5.
    init?(_ bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard let policy = TokenPolicy(&reader), let count = reader.integer(UInt8.self),
            count <= PublicSection.maximumRecords
        else { return nil }
        self.policy = policy
        for _ in 0..<count {
            guard let length = reader.integer(UInt16.self),
                (1...PublicSection.maximumRecordBytes).contains(Int(length)),
                let bytes = reader.bytes(Int(length)),
                bytes.allSatisfy({ (0x21...0x7e).contains($0) })
            else { return nil }
            prescribingRecords.append(String(decoding: bytes, as: UTF8.self))
        }
        guard let tagCount = reader.integer(UInt8.self) else { return nil }
        for _ in 0..<tagCount {
            guard let tag = reader.bytes(32),
                issuerTags.last?.lexicographicallyPrecedes(tag) ?? true
            else { return nil }
            issuerTags.append(Array(tag))
        }
        guard reader.isRestZero, encoded == bytes else { return nil }
    }
}

extension TokenPolicy {
    func encode(to writer: inout ByteWriter) {
        writer.append(UInt8(attempts ?? 0))
        writer.append(UInt16(sessionSeconds ?? 0))
        writer.append(separation?.rawValue ?? 0)
    }

    init?(_ reader: inout ByteReader) {
        guard let attempts = reader.integer(UInt8.self), let session = reader.integer(UInt16.self),
            let separation = reader.integer(UInt8.self),
            attempts == 0 || TokenPolicy.attemptLimits.contains(Int(attempts)),
            session == 0 || TokenPolicy.sessionSeconds.contains(Int(session)), separation <= 2
        else { return nil }
        self.init(
            attempts: attempts == 0 ? nil : Int(attempts),
            sessionSeconds: session == 0 ? nil : Int(session),
            separation: Separation(rawValue: separation))
    }
}
