// One attempt record: how many PINs in a row were wrong, what the limit was, and when the delay
// began. Two copies of it exist. Bound by FORMAT.md §6.
package import Linux

package struct AttemptRecord: Equatable, Sendable {
    static let fileName = "attempts"
    private static let magic = Array("ST-TRYS1".utf8)
    private static let byteCount = 112
    /// From this many failures in a row a delay holds.
    package static let firstDelayedCount = 5
    /// The limit in a record that `reset` writes: wrong PINs reach none below 3.
    static let resetLimit = 1

    package let generation: UInt64
    /// The keystore's generation when this was written: an older keystore was put back.
    package let keystoreGeneration: UInt64
    package let count: Int
    /// The limit in force when this was written.
    package let limit: Int
    /// When the delay began; nil exactly where count is below 5.
    package let delayStart: BootTime?
    /// Written beside a log's head, without which it doesn't count.
    package let isVouched: Bool

    /// Whether it was `reset` that wrote it at its limit, and no wrong PIN.
    var isOfReset: Bool { limit == AttemptRecord.resetLimit }

    /// - Precondition: count ≤ limit, limit in 1...10.
    package init(
        generation: UInt64, keystoreGeneration: UInt64, count: Int, limit: Int,
        isVouched: Bool = false, now: BootTime
    ) {
        precondition((1...10).contains(limit) && (0...limit).contains(count), "count ≤ limit ≤ 10")
        self.generation = generation
        self.keystoreGeneration = keystoreGeneration
        self.count = count
        self.limit = limit
        self.isVouched = isVouched
        delayStart = count >= AttemptRecord.firstDelayedCount ? AttemptRecord.start(now) : nil
    }

    /// Parses and authenticates a copy; nil if it is altered.
    init?(
        _ file: [UInt8], deviceName: [UInt8], key: borrowing MACKey
    ) {
        guard file.count == AttemptRecord.byteCount, key.isAuthentic(file) else { return nil }
        var reader = ByteReader(file)
        guard reader.bytes(8) == AttemptRecord.magic, reader.bytes(16) == deviceName,
            let generation = reader.integer(UInt64.self),
            let keystoreGeneration = reader.integer(UInt64.self),
            let count = reader.integer(UInt8.self), let limit = reader.integer(UInt8.self),
            let isDelayed = reader.integer(UInt8.self),
            let isVouched = reader.integer(UInt8.self), isVouched <= 1, reader.skipsZeros(4),
            let bootID = reader.bytes(16), let nanoseconds = reader.integer(UInt64.self),
            let offset = reader.integer(Int64.self), (1...10).contains(limit), count <= limit,
            KeystoreImage.generations.contains(generation),
            KeystoreImage.generations.contains(keystoreGeneration),
            isDelayed == (count >= AttemptRecord.firstDelayedCount ? 1 : 0)
        else { return nil }
        let start = BootTime(bootID: bootID, nanoseconds: nanoseconds, offsetNanoseconds: offset)
        guard isDelayed == 1 || start == AttemptRecord.noStart else { return nil }
        self.generation = generation
        self.keystoreGeneration = keystoreGeneration
        self.count = Int(count)
        self.limit = Int(limit)
        self.isVouched = isVouched == 1
        delayStart = isDelayed == 1 ? start : nil
    }

    /// The copy's bytes.
    func encoded(deviceName: [UInt8], key: borrowing MACKey) -> [UInt8] {
        let start = delayStart ?? AttemptRecord.noStart
        var writer = ByteWriter()
        writer.append(AttemptRecord.magic)
        writer.append(deviceName)
        writer.append(generation)
        writer.append(keystoreGeneration)
        writer.append(UInt8(count))
        writer.append(UInt8(limit))
        writer.append(UInt8(delayStart == nil ? 0 : 1))
        writer.append(UInt8(isVouched ? 1 : 0))
        writer.append([UInt8](repeating: 0, count: 4))
        writer.append(start.bootID)
        writer.append(start.nanoseconds)
        writer.append(start.offsetNanoseconds)
        return key.authenticated(writer.bytes)
    }

    /// The start as it is written down: a boot_id that anybody can have made up is not.
    private static func start(_ now: BootTime) -> BootTime {
        guard !now.isBootIDBelieved else { return now }
        return BootTime(
            bootID: noStart.bootID, nanoseconds: now.nanoseconds,
            offsetNanoseconds: now.offsetNanoseconds)
    }

    /// Whether a delay began in a boot that could not be told.
    static func isUntold(_ start: BootTime) -> Bool { start.bootID == noStart.bootID }

    private static let noStart = BootTime(
        bootID: [UInt8](repeating: 0, count: 16), nanoseconds: 0)
}
