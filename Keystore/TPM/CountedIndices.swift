// The two indices that a counted PIN stands on: what they look like, what their Names must be, and
// what authorizes them. Bound by DESIGN §5 and FORMAT.md §15.

/// The public side of a pair: where it lies and the gate's policy, which needs no PIN to be known.
struct CountedPair: Equatable, Sendable {
    /// Handles at which a gate may lie; each even, the share's is one more.
    static let handles: ClosedRange<UInt32> = 0x0180_0000...0x01bf_fffe
    static let gateByteCount = 8
    static let shareByteCount = 32
    /// authRead, noDA, type PIN-fail, policyWrite.
    private static let gateAttributes: UInt32 = 0x0204_0088
    /// authRead, noDA, authWrite.
    private static let shareAttributes: UInt32 = 0x0204_0004
    private static let written: UInt32 = 0x2000_0000

    /// The gate's handle.
    let handle: UInt32
    /// The gate's policy, 32 bytes: PolicyNV(SHARE equals its own bytes).
    let policy: [UInt8]

    init(handle: UInt32, policy: [UInt8]) {
        precondition(CountedPair.isHandle(handle), "an even handle")
        precondition(policy.count == 32, "a SHA-256")
        self.handle = handle
        self.policy = policy
    }

    /// A pair whose share holds these bytes.
    init(handle: UInt32, share: borrowing SecureBytes) throws(KeystoreError) {
        let empty = CountedPair(handle: handle, policy: [UInt8](repeating: 0, count: 32))
        self.init(handle: handle, policy: try empty.policy(of: share))
    }

    /// Whether a gate may lie there.
    static func isHandle(_ handle: UInt32) -> Bool {
        handles.contains(handle) && handle.isMultiple(of: 2)
    }

    /// A handle for a new pair.
    static func drawnHandle() -> UInt32 {
        handles.lowerBound + 2 * randomNumber(below: UInt32(handles.count + 1) / 2)
    }

    enum Index: CaseIterable, Sendable { case share, gate }
    enum Writing: Sendable { case unwritten, written }

    /// The index with the Name that it must have: the chip's is compared, never believed.
    func named(_ index: Index, _ writing: Writing = .written) -> NamedHandle {
        let area = publicArea(index, writing)
        return NamedHandle(index == .gate ? handle : handle + 1, name: chipName(area))
    }

    /// The Names that an index has before and after its first writing.
    func names(_ index: Index) -> [[UInt8]] {
        [named(index, .unwritten).name, named(index, .written).name]
    }

    /// TPMS_NV_PUBLIC.
    func publicArea(_ index: Index, _ writing: Writing) -> [UInt8] {
        let attributes =
            index == .gate ? CountedPair.gateAttributes : CountedPair.shareAttributes
        var writer = ByteWriter()
        writer.append(index == .gate ? handle : handle + 1)
        writer.append(ChipConstant.sha256)
        writer.append(attributes | (writing == .written ? CountedPair.written : 0))
        writer.append(sized: index == .gate ? policy : [])
        writer.append(
            UInt16(index == .gate ? CountedPair.gateByteCount : CountedPair.shareByteCount))
        return writer.bytes
    }

    /// PolicyNV(SHARE, operand, offset 0, EQ) over an empty policy. The operand is 256 secret bits:
    /// the policy, which anyone can read, doesn't give them away.
    private func policy(of share: borrowing SecureBytes) throws(KeystoreError) -> [UInt8] {
        let hash = try sha256(before: [], share, after: [0, 0, 0, 0])
        let what = hash.read { bytes in bytes.indices.map { bytes[$0] } }
        return sha256(
            [UInt8](repeating: 0, count: 32) + bigEndianBytes(ChipCommand.policyNV.rawValue) + what
                + named(.share).name)
    }
}

/// What the PIN's key makes for the two indices. The last byte of each is odd: the chip cuts zeros off
/// the end of an authorization.
enum PairAuthorization {
    /// Reads the gate: the try that the chip counts.
    static func gate(_ pinKey: borrowing SecureBytes) throws(KeystoreError) -> SecureBytes {
        odd(try blake2bSecret(Array("softtoken-tpm-gate-1".utf8), key: pinKey, byteCount: 32))
    }

    /// Reads and writes the share.
    /// - Parameter limit: the four bytes L that the gate yields.
    static func share(
        _ pinKey: borrowing SecureBytes, limit: borrowing SecureBytes
    ) throws(KeystoreError) -> SecureBytes {
        var hash = try BLAKE2b(byteCount: 32, key: pinKey)
        hash.update("softtoken-tpm-share-1")
        hash.update(limit)
        return odd(try hash.finalizeSecret())
    }

    private static func odd(_ bytes: consuming SecureBytes) -> SecureBytes {
        var bytes = bytes
        bytes.write { (bytes: inout MutableSpan<UInt8>) in bytes[31] |= 1 }
        return bytes
    }
}

/// What the gate holds, {L − tries, L}: what the right PIN sets to 0 counts from there to L.
enum GateContent {
    /// Draws L: 30 random bits with 0x40000000 set, which is positive as a signed number, too.
    static func drawnLimit() throws(KeystoreError) -> SecureBytes {
        var limit = try SecureBytes(randomCount: 4)
        limit.write { (bytes: inout MutableSpan<UInt8>) in bytes[0] = bytes[0] & 0x3f | 0x40 }
        return limit
    }

    /// - Parameter tries: 1...10.
    static func armed(
        limit: borrowing SecureBytes, tries: Int
    ) throws(KeystoreError) -> SecureBytes {
        precondition((1...10).contains(tries), "1 to 10 tries")
        var content = try SecureBytes(count: CountedPair.gateByteCount)
        fill(&content, at: 0, with: limit)
        fill(&content, at: 4, with: limit)
        content.write { (bytes: inout MutableSpan<UInt8>) in
            // Byte by byte, so that L stands nowhere else.
            var borrow = tries
            for index in (0..<4).reversed() where borrow > 0 {
                let difference = Int(bytes[index]) - borrow
                bytes[index] = UInt8(truncatingIfNeeded: difference)
                borrow = difference < 0 ? 1 : 0
            }
        }
        return content
    }
}
