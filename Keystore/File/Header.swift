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
    private static let parametersBit: UInt8 = 128
    /// Where the values besides the machine-id stand: their bits in the second byte.
    private static let otherValuesBits = BoundValues.all.rawValue & ~BoundValues.machineID.rawValue

    var protector: Protector
    var boundTo: BoundValues
    /// The seeds are sealed with their tokens' parameters.
    var sealsParameters: Bool
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
        writer.append(UInt8(protector.isChip ? 2 : 1))
        writer.append(boundTo.rawValue & BoundValues.machineID.rawValue)
        writer.append(
            boundTo.rawValue & ~BoundValues.machineID.rawValue
                | (sealsParameters ? Header.parametersBit : 0))
        writer.append(protector.reason)
        writer.append(UInt32(cost.operations))
        writer.append(UInt64(cost.memoryBytes))
        writer.append(salt)
        writer.append(deviceName)
        writer.append(keystoreID)
        writer.append(generation)
        writer.append(UInt32(publicByteCount))
        writer.append(UInt32(metadataByteCount))
        writer.append(UInt32(slotCount))
        writer.append(protector.handle)
        return writer.bytes
    }

    /// Parses and bounds every field; nil if one is outside of FORMAT.md §5.
    init?(_ bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard reader.bytes(8) == Header.magic,
            let keeper = reader.integer(UInt8.self),
            let isBound = reader.integer(UInt8.self), isBound <= 1,
            let bits = reader.integer(UInt8.self),
            bits & ~(Header.otherValuesBits | Header.parametersBit) == 0,
            let reason = reader.integer(UInt8.self),
            let operations = reader.integer(UInt32.self),
            let memoryBytes = reader.integer(UInt64.self),
            let salt = reader.bytes(16), let deviceName = reader.bytes(16),
            let keystoreID = reader.bytes(16), let generation = reader.integer(UInt64.self),
            let publicByteCount = reader.integer(UInt32.self),
            let metadataByteCount = reader.integer(UInt32.self),
            let slotCount = reader.integer(UInt32.self), let handle = reader.integer(UInt32.self),
            let protector = Protector(keeper, reason: reason, handle: handle),
            KDFCost.operationLimits.contains(Int(operations)),
            memoryBytes <= UInt64(Int.max), KDFCost.memoryLimits.contains(Int(memoryBytes)),
            KeystoreImage.generations.contains(generation),
            Header.isSection(Int(publicByteCount), limit: 262_144),
            metadataByteCount > 16,
            Header.isSection(Int(metadataByteCount) - Header.tagByteCount, limit: 8_388_608),
            slotCount.isMultiple(of: 8), (8...16_384).contains(slotCount)
        else { return nil }
        self.protector = protector
        boundTo = BoundValues(rawValue: isBound | bits & Header.otherValuesBits)
        sealsParameters = bits & Header.parametersBit != 0
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
    init(protector: Protector, boundTo: BoundValues, cost: KDFCost, deviceName: [UInt8]) {
        self.protector = protector
        self.boundTo = boundTo
        sealsParameters = true
        self.cost = cost
        salt = randomBytes(count: 16)
        self.deviceName = deviceName
        keystoreID = randomBytes(count: 16)
        generation = 0
        publicByteCount = 0
        metadataByteCount = 0
        slotCount = 0
    }

    /// What a file asks to be bound to, before it is known to be whole.
    static func boundTo(inFile file: [UInt8]) -> BoundValues {
        BoundValues(rawValue: (file[9] != 0 ? 1 : 0) | file[10] & otherValuesBits)
    }

    private static func isSection(_ byteCount: Int, limit: Int) -> Bool {
        byteCount.isMultiple(of: sectionUnit) && byteCount >= sectionUnit && byteCount <= limit
    }
}

extension Protector {
    /// nil for what no header of FORMAT.md §5 says.
    fileprivate init?(_ keeper: UInt8, reason: UInt8, handle: UInt32) {
        let trouble = ChipTrouble(number: reason)
        switch keeper {
        case 1 where handle == 0 && (reason == 0 || trouble != nil):
            self = .deviceFile(instead: trouble)
        case 2 where reason == 0 && CountedPair.isHandle(handle): self = .chip(handle: handle)
        default: return nil
        }
    }

    fileprivate var reason: UInt8 {
        if case .deviceFile(let trouble?) = self { trouble.number } else { 0 }
    }

    fileprivate var handle: UInt32 {
        if case .chip(let handle) = self { handle } else { 0 }
    }
}
