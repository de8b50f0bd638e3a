// `device-share`: the device's share of the unlock key, or where in the chip it lies.
// Bound by DESIGN §5 and FORMAT.md §4.
internal import Linux

/// 256 bits that a copied keystore lacks.
struct DeviceShare: ~Copyable {
    let bytes: SecureBytes

    /// Draws a new share.
    init() throws(KeystoreError) { bytes = try SecureBytes(randomCount: 32) }

    init(bytes: consuming SecureBytes) { self.bytes = bytes }
}

/// What the file says: every pair of indices that this keystore has in the chip, or may have, and a
/// share. What the header doesn't ask for is left from a change that was cut.
struct ShareFile: ~Copyable {
    static let fileName = "device-share"
    private static let magic = Array("ST-SHAR1".utf8)
    private static let magicOfChip = Array("ST-SHAR2".utf8)
    private static let byteCount = 88
    private static let macByteCount = 32
    private static let pairByteCount = 36
    private static let shareOffset = 58
    private static let firstPair = 91
    private static let maximumByteCount = firstPair + 2 * pairByteCount + macByteCount

    var share: SecureBytes?
    /// The Name of the key that salts sessions with the pairs' chip; empty where there are none.
    var primaryName: [UInt8] = []
    var pairs: [CountedPair] = []

    init() {}

    /// Reads the file and checks that it is this device's.
    ///
    /// - Throws: `KeystoreError.damaged` when it is missing or altered: known without a PIN, so
    ///   that it costs no attempt.
    static func read(
        _ state: borrowing Directory, deviceKey: borrowing DeviceKey
    ) throws(KeystoreError) -> ShareFile {
        guard let content = try content(state) else { throw .damaged(.deviceShare) }
        let whole = content.count - macByteCount
        let mac = try deviceKey.withMACKey(.deviceShare) {
            $0.mac(ofSecret: content, byteCount: whole)
        }
        guard isEqualInConstantTime(mac, publicBytes(whole..<content.count, of: content)),
            publicBytes(8..<24, of: content) == deviceKey.deviceName,
            let file = try ShareFile(parsing: content)
        else { throw .damaged(.deviceShare) }
        return file
    }

    /// The pairs that a file names, whoever's it is: to be taken out of the chip with it. None where
    /// it is damaged.
    ///
    /// - Throws: `KeystoreError.system`, `.outOfMemory`: nobody knows what it names.
    static func pairs(_ state: borrowing Directory) throws(KeystoreError) -> [CountedPair] {
        do throws(KeystoreError) {
            guard let content = try content(state) else { return [] }
            return try ShareFile(parsing: content)?.pairs ?? []
        } catch {
            switch error {
            case .system, .outOfMemory: throw error
            default: return []
            }
        }
    }

    /// Erases the share beside the pairs that the file names. Their MAC goes with it.
    static func eraseShareAlone(_ state: borrowing Directory) throws(KeystoreError) {
        guard var content = try content(state) else { return }
        fill(&content, at: shareOffset, with: [UInt8](repeating: 0, count: 32))
        try content.read { (bytes) throws(KeystoreError) in
            try translating { () throws(SystemError) in
                try state.replaceErasing(fileName, bytes: bytes)
            }
        }
    }

    private static func content(
        _ state: borrowing Directory
    ) throws(KeystoreError) -> SecureBytes? {
        try readSecretFile(
            fileName, in: state, byteCounts: byteCount...maximumByteCount,
            damaged: .damaged(.deviceShare))
    }

    /// nil for what breaks a rule of FORMAT.md §4.
    private init?(parsing content: borrowing SecureBytes) throws(KeystoreError) {
        let magic = publicBytes(0..<8, of: content)
        if magic == ShareFile.magic {
            guard content.count == ShareFile.byteCount else { return nil }
            share = try copy(24..<56, of: content)
            return
        }
        let count = content.count - ShareFile.firstPair - ShareFile.macByteCount
        guard magic == ShareFile.magicOfChip, count > 0 else { return nil }
        var reader = ByteReader(
            publicBytes(24..<58, of: content) + publicBytes(90..<91 + count, of: content))
        guard let name = reader.bytes(34), isChipName(name),
            let number = reader.integer(UInt8.self), (1...2).contains(number)
        else { return nil }
        for _ in 0..<number {
            guard let pair = CountedPair(&reader) else { return nil }
            pairs.append(pair)
        }
        let share = try copy(
            ShareFile.shareOffset..<ShareFile.shareOffset + 32, of: content)
        let hasShare = share.read { bytes in bytes.indices.contains { bytes[$0] != 0 } }
        guard reader.isAtEnd, Set(pairs.map(\.handle)).count == pairs.count,
            !hasShare || pairs.count == 1
        else { return nil }
        primaryName = name
        self.share = hasShare ? consume share : nil
    }

    /// Writes the file.
    func write(
        in state: borrowing Directory, deviceKey: borrowing DeviceKey
    ) throws(KeystoreError) {
        var head = ByteWriter()
        head.append(pairs.isEmpty ? ShareFile.magic : ShareFile.magicOfChip)
        head.append(deviceKey.deviceName)
        head.append(primaryName)
        var tail = ByteWriter()
        if !pairs.isEmpty { tail.append(UInt8(pairs.count)) }
        for pair in pairs {
            tail.append(pair.handle)
            tail.append(pair.policy)
        }
        let shareEnd = head.bytes.count + 32
        let whole = shareEnd + tail.bytes.count
        var file = try SecureBytes(count: whole + ShareFile.macByteCount)
        fill(&file, at: 0, with: head.bytes)
        switch share {
        case .some(let share): fill(&file, at: head.bytes.count, with: share)
        case .none: precondition(!pairs.isEmpty, "a share, or where it is")
        }
        fill(&file, at: shareEnd, with: tail.bytes)
        let mac = try deviceKey.withMACKey(.deviceShare) {
            $0.mac(ofSecret: file, byteCount: whole)
        }
        fill(&file, at: whole, with: mac)
        try file.read { (bytes) throws(KeystoreError) in
            try translating { () throws(SystemError) in
                try state.replaceErasing(ShareFile.fileName, bytes: bytes)
            }
        }
    }
}

extension CountedPair {
    /// Reads a pair of FORMAT.md §4; nil where it can't be one.
    fileprivate init?(_ reader: inout ByteReader) {
        guard let handle = reader.integer(UInt32.self), CountedPair.isHandle(handle),
            let policy = reader.bytes(32)
        else { return nil }
        self.init(handle: handle, policy: policy)
    }
}

/// A part of a secret file that is none.
private func publicBytes(_ range: Range<Int>, of content: borrowing SecureBytes) -> [UInt8] {
    content.read { bytes in range.map { bytes[$0] } }
}
