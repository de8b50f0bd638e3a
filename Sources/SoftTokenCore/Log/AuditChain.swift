// The chain over the log's lines, and the head that is kept apart from them, so that cutting,
// editing, reordering and deleting are found. Pure. Bound by Keystore/FORMAT.md §10.
internal import Keystore
internal import Linux

/// The file `log-head`: where the chain begins and ends.
struct AuditHead: Equatable {
    static let fileName = "log-head"
    private static let magic = Array("ST-HEAD1".utf8)
    private static let byteCount = 144
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

    init() {}

    /// Whether this chain was begun because the one before it could not be gone on with: what was
    /// pruned leaves a MAC at the base.
    var followsBreak: Bool { baseSequence > 0 && baseMAC == AuditHead.zeroMAC }

    init?(_ file: [UInt8], key: borrowing MACKey) throws(KeystoreError) {
        guard file.count == AuditHead.byteCount, file.starts(with: AuditHead.magic),
            isEqualInConstantTime(key.mac(of: Array(file.dropLast(32))), Array(file.suffix(32)))
        else { return nil }
        func number(_ offset: Int) -> UInt64 {
            file[offset..<offset + 8].reduce(0) { $0 << 8 | UInt64($1) }
        }
        baseSequence = number(8)
        baseMAC = Array(file[16..<48])
        baseOffset = number(48)
        lastSequence = number(56)
        lastMAC = Array(file[64..<96])
        byteCount = number(96)
        baselineUnixSeconds = Int64(bitPattern: number(104))
        // Numbers that no chain of ours has would be counted on where the log is read.
        guard self == AuditHead() || isPossible else { return nil }
    }

    /// Whether a chain with an entry can have this head.
    private var isPossible: Bool {
        baseSequence < lastSequence && lastSequence <= Int64.max && baseOffset <= byteCount
            && byteCount <= Int64.max
            && (baseSequence > 0 || (baseMAC == AuditHead.zeroMAC && baseOffset == 0))
    }

    func encoded(by key: borrowing MACKey) throws(KeystoreError) -> [UInt8] {
        func bytes(_ number: UInt64) -> [UInt8] {
            (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * $0)) }
        }
        let content =
            AuditHead.magic + bytes(baseSequence) + baseMAC + bytes(baseOffset)
            + bytes(lastSequence) + lastMAC + bytes(byteCount)
            + bytes(UInt64(bitPattern: baselineUnixSeconds))
        return content + (key.mac(of: content))
    }

    /// Takes a line into account that follows the last one.
    mutating func follow(_ line: AuditLine, byteCount: Int) {
        lastSequence = line.sequence
        lastMAC = line.mac
        self.byteCount += UInt64(byteCount)
        guard line.outcome == .ok else { return }
        // A confirmation sets the baseline anew: one wrong clock forward must not lock for ever.
        baselineUnixSeconds =
            line.event == .clock ? line.unixSeconds : max(baselineUnixSeconds, line.unixSeconds)
    }
}

extension MACKey {
    /// The line with its MAC, ready to be appended.
    func chained(_ content: [UInt8], after mac: [UInt8]) throws(KeystoreError) -> [UInt8] {
        content + Array(",\"mac\":\"\(hexadecimal(self.mac(of: mac, content)))\"}\n".utf8)
    }

    /// Whether a line follows the entry with that number and MAC.
    func isChained(
        _ line: AuditLine, afterSequence sequence: UInt64, mac: [UInt8]
    ) throws(KeystoreError) -> Bool {
        guard line.sequence == sequence + 1 else { return false }
        return isEqualInConstantTime(self.mac(of: mac, line.content), line.mac)
    }
}
