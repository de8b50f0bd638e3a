// The device key: authenticates, without a PIN, what must be checked before one. With the machine
// binding it names the device that a keystore belongs to. Bound by FORMAT.md §2, §3.
internal import Linux

/// The keys that authenticate this device's files, and the device's name.
struct DeviceKey: ~Copyable {
    static let fileName = "device-key"
    private static let magic = Array("ST-DKEY1".utf8)

    /// H(16, device key, …): 16 bytes.
    let deviceName: [UInt8]
    let binding: MachineBinding
    private let root: RootKey

    init(_ key: borrowing SecureBytes, binding: MachineBinding) throws(KeystoreError) {
        let root = try blake2bSecret(
            Array("softtoken-device-keys-1".utf8) + binding.bytes, key: key, byteCount: 32)
        deviceName = blake2b(
            Array("softtoken-device-1".utf8) + binding.bytes, key: key, byteCount: 16)
        self.binding = binding
        self.root = RootKey(root)
    }

    /// What a device subkey authenticates.
    enum Purpose: UInt64 {
        case keystore = 1
        case attempts = 2
        case deviceShare = 3
        case attestation = 4
        case issuers = 5
    }

    func macKey(_ purpose: Purpose) throws(KeystoreError) -> MACKey {
        MACKey(try root.subkey(purpose.rawValue, "stdevice"))
    }

    /// Lends such a key for one use.
    func withMACKey<R: ~Copyable>(
        _ purpose: Purpose, _ body: (borrowing MACKey) throws(KeystoreError) -> R
    ) throws(KeystoreError) -> R {
        try root.withMACKey(purpose.rawValue, "stdevice", body)
    }

    /// Reads the key from the state folder, without a binding yet.
    ///
    /// - Returns: nil if there is none.
    /// - Throws: `KeystoreError.damaged`.
    static func read(_ state: borrowing Directory) throws(KeystoreError) -> SecureBytes? {
        try readKeyFile(fileName, in: state, magic: magic, damaged: .damaged(.deviceKey))
    }

    static func write(
        _ key: borrowing SecureBytes, in state: borrowing Directory
    ) throws(KeystoreError) {
        try writeKeyFile(fileName, in: state, magic: magic, key: key)
    }
}

/// Reads `magic ‖ key (32) ‖ H(16, …)` straight into guarded memory. FORMAT.md §3.
func readKeyFile(
    _ name: String, in folder: borrowing Directory, magic: [UInt8], damaged: KeystoreError
) throws(KeystoreError) -> SecureBytes? {
    guard
        let content = try readSecretFile(name, in: folder, byteCounts: 56...56, damaged: damaged)
    else { return nil }
    return try content.read { (bytes) throws(KeystoreError) in
        let checksum = blake2b(ofSecret: bytes.extracting(0..<40), byteCount: 16)
        let isWhole =
            magic.indices.allSatisfy { bytes[$0] == magic[$0] }
            && checksum.indices.allSatisfy { bytes[40 + $0] == checksum[$0] }
        guard isWhole else { throw damaged }
        return try SecureBytes(copying: bytes.extracting(8..<40))
    }
}

/// Writes a key file, whole or not at all. FORMAT.md §3.
func writeKeyFile(
    _ name: String, in folder: borrowing Directory, magic: [UInt8], key: borrowing SecureBytes
) throws(KeystoreError) {
    precondition(key.count == 32, "a key has 32 bytes")
    var file = try SecureBytes(count: 56)
    fill(&file, at: 0, with: magic)
    fill(&file, at: 8, with: key)
    fill(&file, at: 40, with: blake2b(ofSecret: file, prefix: 40, byteCount: 16))
    try replaceSecretFile(name, in: folder, with: file)
}

/// Reads a file of a known length into guarded memory, for one use; nil if there is none.
func readSecretFile(
    _ name: String, in folder: borrowing Directory, byteCounts: ClosedRange<Int>,
    damaged: KeystoreError
) throws(KeystoreError) -> SecureBytes? {
    guard let file = try opening(try folder.open(name)) else {
        return nil
    }
    let byteCount = try translating(try file.attributes()).byteCount
    guard byteCounts.contains(byteCount) else { throw damaged }
    return try unsafe SecureBytes.unclosed(count: byteCount) { (memory) throws(KeystoreError) in
        let count = try translating(try unsafe file.read(into: memory))
        guard count == byteCount else { throw damaged }
    }
}

/// Replaces a file with guarded bytes.
func replaceSecretFile(
    _ name: String, in folder: borrowing Directory, with content: borrowing SecureBytes
) throws(KeystoreError) {
    try content.read { (bytes) throws(KeystoreError) in
        try translating(try folder.replace(name, bytes: bytes))
    }
}

/// Copies public bytes into guarded memory.
package func fill(_ target: inout SecureBytes, at offset: Int, with bytes: [UInt8]) {
    target.write { (target: inout MutableSpan<UInt8>) in
        for index in bytes.indices { target[offset + index] = bytes[index] }
    }
}

/// Copies guarded bytes into guarded memory.
package func fill(_ target: inout SecureBytes, at offset: Int, with bytes: borrowing SecureBytes) {
    target.write { (target: inout MutableSpan<UInt8>) in
        bytes.read { bytes in
            for index in bytes.indices { target[offset + index] = bytes[index] }
        }
    }
}

/// A part of guarded bytes, in guarded memory of its own.
package func copy(
    _ range: Range<Int>, of bytes: borrowing SecureBytes
) throws(KeystoreError) -> SecureBytes {
    var part = try SecureBytes(count: range.count)
    part.write { (target: inout MutableSpan<UInt8>) in
        bytes.read { bytes in
            for index in target.indices { target[index] = bytes[range.lowerBound + index] }
        }
    }
    return part
}
