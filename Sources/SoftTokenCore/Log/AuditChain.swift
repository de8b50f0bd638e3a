// The chain over the log's lines, and the head that is kept apart from them, so that cutting,
// editing, reordering and deleting are found. Pure. Bound by Keystore/FORMAT.md §10.
internal import Keystore
internal import Linux

/// The file `log-head`: where the chain begins and ends.
struct AuditHead: Equatable {
    static let fileName = "log-head"
    private static let magic = Array("ST-HEAD3".utf8)
    /// Of heads that earlier versions wrote: the second tells no count, the first vouches for nothing.
    private static let formerMagics = [Array("ST-HEAD1".utf8), Array("ST-HEAD2".utf8)]
    static let zeroMAC = [UInt8](repeating: 0, count: 32)

    /// The entry before the chain's first: 0 and zeros, or what was pruned.
    var baseSequence: UInt64 = 0
    var baseMAC = zeroMAC
    /// Where in the file the chain begins: not 0 when what precedes can't be verified.
    var baseOffset: UInt64 = 0
    var lastSequence: UInt64 = 0
    var lastMAC = zeroMAC
    /// The file's length after the last entry.
    var byteCount: UInt64 = 0
    /// The latest time of an ok entry since the clock was last confirmed, Unix seconds (DESIGN §7).
    var baselineUnixSeconds: Int64 = 0
    /// Of attempt record, keystore and used links.
    var vouched = Vouched(attempts: 0, keystore: 0)
    /// Written before a PIN was tried: an entry of a wrong PIN that follows at once is of this try.
    var isBeforeTry = false
    // Not on the disk:
    /// An entry that was followed tells of a signed link's activation.
    private(set) var tellsOfUsedLink = false
    /// How many entries were followed that end a use, or a try.
    private(set) var usesBeyond = 0
    /// It was put back: before a second use began it was on the disk with the first one in it.
    var isPutBack: Bool { usesBeyond > 1 }

    init() {}

    /// Whether this chain was begun because the one before it could not be gone on with: what was
    /// pruned leaves a MAC at the base.
    var followsBreak: Bool { baseSequence > 0 && baseMAC == AuditHead.zeroMAC }

    init?(_ file: [UInt8], key: borrowing MACKey) {
        guard file.count > 32,
            isEqualInConstantTime(key.mac(of: Array(file.dropLast(32))), Array(file.suffix(32)))
        else { return nil }
        var reader = ByteReader(file.dropLast(32))
        let magic = reader.bytes(8)
        guard let baseSequence = reader.integer(UInt64.self), let baseMAC = reader.bytes(32),
            let baseOffset = reader.integer(UInt64.self),
            let lastSequence = reader.integer(UInt64.self), let lastMAC = reader.bytes(32),
            let byteCount = reader.integer(UInt64.self), let baseline = reader.integer(Int64.self)
        else { return nil }
        let former = AuditHead.formerMagics.firstIndex { $0 == magic }
        guard former != nil || magic == AuditHead.magic else { return nil }
        if former != 0 {
            guard let attempts = reader.integer(UInt64.self),
                let keystore = reader.integer(UInt64.self)
            else { return nil }
            vouched = Vouched(attempts: attempts, keystore: keystore)
        }
        if former == nil { guard readCount(&reader) else { return nil } }
        self.baseSequence = baseSequence
        self.baseMAC = baseMAC
        self.baseOffset = baseOffset
        self.lastSequence = lastSequence
        self.lastMAC = lastMAC
        self.byteCount = byteCount
        baselineUnixSeconds = baseline
        // Who reads the log relies on the limits of these numbers.
        guard reader.isAtEnd, isNew || isPossible, areGenerationsPossible else { return nil }
    }

    /// Reads what only heads of this version tell.
    ///
    /// - Returns: false where it breaks a rule.
    private mutating func readCount(_ reader: inout ByteReader) -> Bool {
        guard let usedLinks = reader.integer(UInt64.self), let deviceName = reader.bytes(16),
            let failures = reader.integer(UInt8.self), let limit = reader.integer(UInt8.self),
            let isBeforeTry = reader.integer(UInt8.self), isBeforeTry <= 1, reader.skipsZeros(5),
            limit <= 10, failures <= limit
        else { return false }
        vouched.usedLinks = usedLinks
        self.isBeforeTry = isBeforeTry == 1
        guard limit > 0 else { return deviceName == AuditHead.noDevice }
        vouched.count = VouchedCount(
            deviceName: deviceName, failures: Int(failures), limit: Int(limit))
        return true
    }

    private static let noDevice = [UInt8](repeating: 0, count: 16)

    private var areGenerationsPossible: Bool {
        [vouched.attempts, vouched.keystore, vouched.usedLinks].allSatisfy { $0 <= 1 << 63 }
    }

    /// Whether its log has no entry.
    private var isNew: Bool {
        var new = AuditHead()
        new.vouched = vouched
        new.isBeforeTry = isBeforeTry
        return self == new
    }

    /// Whether a chain with an entry can have this head.
    private var isPossible: Bool {
        baseSequence < lastSequence && lastSequence <= Int64.max && baseOffset <= byteCount
            && byteCount <= Int64.max
            && (baseSequence > 0 || (baseMAC == AuditHead.zeroMAC && baseOffset == 0))
    }

    func encoded(by key: borrowing MACKey) -> [UInt8] {
        var writer = ByteWriter()
        writer.append(AuditHead.magic)
        writer.append(baseSequence)
        writer.append(baseMAC)
        writer.append(baseOffset)
        writer.append(lastSequence)
        writer.append(lastMAC)
        writer.append(byteCount)
        writer.append(baselineUnixSeconds)
        writer.append(vouched.attempts)
        writer.append(vouched.keystore)
        writer.append(vouched.usedLinks)
        writer.append(vouched.count?.deviceName ?? AuditHead.noDevice)
        writer.append(UInt8(vouched.count?.failures ?? 0))
        writer.append(UInt8(vouched.count?.limit ?? 0))
        writer.append(UInt8(isBeforeTry ? 1 : 0))
        writer.append([UInt8](repeating: 0, count: 5))
        return writer.bytes + key.mac(of: writer.bytes)
    }

    /// Takes what is on the disk by now into account: no generation ever falls.
    mutating func vouch(for new: Vouched?) {
        guard let new else { return }
        if new.attempts >= vouched.attempts { vouched.count = new.count ?? vouched.count }
        vouched.usedLinks = max(vouched.usedLinks, new.usedLinks)
        vouched.attempts = max(vouched.attempts, new.attempts)
        vouched.keystore = max(vouched.keystore, new.keystore)
    }

    /// Takes a line into account that follows the last one.
    mutating func follow(_ line: LogEntry, byteCount: Int) {
        lastSequence = line.sequence
        lastMAC = line.mac
        self.byteCount += UInt64(byteCount)
        // An attempt was counted before the entry of its wrong PIN was written.
        if line.isWrongPIN, vouched.attempts > 0, !isBeforeTry {
            vouched.attempts += 1
            vouched.count?.addFailure()
        }
        isBeforeTry = false
        // And the keystore, before the entry of what was changed in it.
        if line.tellsOfUsedLink { tellsOfUsedLink = true }
        if line.endsUse { usesBeyond += 1 }
        if line.tellsOfWrittenKeystore, vouched.attempts > 0 { vouched.keystore += 1 }
        guard line.outcome == .ok else { return }
        // A confirmation sets the baseline anew: one wrong clock forward must not lock for ever.
        baselineUnixSeconds =
            line.event == .clock ? line.unixSeconds : max(baselineUnixSeconds, line.unixSeconds)
    }
}

extension MACKey {
    /// The line with its MAC, ready to be appended.
    func chained(_ content: [UInt8], after mac: [UInt8]) -> [UInt8] {
        content
            + Array(
                ",\"mac\":\"\(TextAlphabet.hexadecimal.text(self.mac(of: mac, content)))\"}\n".utf8)
    }

    /// Whether a line follows the entry with that number and MAC.
    func isChained(_ line: LogEntry, afterSequence sequence: UInt64, mac: [UInt8]) -> Bool {
        guard line.sequence == sequence + 1 else { return false }
        return isEqualInConstantTime(self.mac(of: mac, line.content), line.mac)
    }

    /// Takes the whole lines into account that stand beyond a head.
    ///
    /// - Returns: false where one doesn't follow; `head` then tells of those before it.
    func follow(_ beyond: [UInt8], by head: inout AuditHead) -> Bool {
        let lines = beyond.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for bytes in lines.dropLast() {
            guard let line = LogEntry(bytes),
                isChained(line, afterSequence: head.lastSequence, mac: head.lastMAC)
            else { return false }
            head.follow(line, byteCount: bytes.count + 1)
        }
        return true
    }
}
