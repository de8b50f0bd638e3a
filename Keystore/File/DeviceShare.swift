// The device's share of the unlock key, held by the protector. `device-file`: a random file in the
// state folder, written once. Bound by DESIGN §5 and FORMAT.md §4.
internal import Linux

/// What holds the device's share of the key.
package enum Protector: UInt8, Sendable {
    case deviceFile = 1

    /// As the contract spells it.
    package var name: String { "device-file" }
}

/// 256 bits that a copied keystore lacks.
struct DeviceShare: ~Copyable {
    static let fileName = "device-share"
    private static let magic = Array("ST-SHAR1".utf8)
    private static let byteCount = 88

    let bytes: SecureBytes

    /// Draws a new share.
    init() throws(KeystoreError) { bytes = try SecureBytes(randomCount: 32) }

    private init(bytes: consuming SecureBytes) { self.bytes = bytes }

    /// Reads the share and checks that it is this device's.
    ///
    /// - Throws: `KeystoreError.damaged` when it is missing or altered: known without a PIN, so
    ///   that it costs no attempt.
    static func read(
        _ state: borrowing Directory, deviceKey: borrowing DeviceKey
    ) throws(KeystoreError) -> DeviceShare {
        let damaged = KeystoreError.damaged(.deviceShare)
        guard
            let file = try readSecretFile(
                fileName, in: state, byteCount: byteCount, damaged: damaged)
        else { throw damaged }
        let expected = magic + deviceKey.deviceName
        let mac = try DeviceShare.mac(of: file, deviceKey: deviceKey)
        let isWhole = file.read { bytes in
            expected.indices.allSatisfy { bytes[$0] == expected[$0] }
                && isEqualInConstantTime(mac, (56..<88).map { bytes[$0] })
        }
        guard isWhole else { throw damaged }
        return DeviceShare(
            bytes: try copy(24..<56, of: file))
    }

    /// Writes the share, once, at creation.
    func write(
        in state: borrowing Directory, deviceKey: borrowing DeviceKey
    ) throws(KeystoreError) {
        var file = try SecureBytes(count: DeviceShare.byteCount)
        fill(&file, at: 0, with: DeviceShare.magic + deviceKey.deviceName)
        fill(&file, at: 24, with: bytes)
        fill(&file, at: 56, with: try DeviceShare.mac(of: file, deviceKey: deviceKey))
        try replaceSecretFile(DeviceShare.fileName, in: state, with: file)
    }

    /// The MAC of the file's first 56 bytes.
    private static func mac(
        of file: borrowing SecureBytes, deviceKey: borrowing DeviceKey
    ) throws(KeystoreError) -> [UInt8] {
        try deviceKey.macKey(.deviceShare).mac(ofSecret: file, byteCount: 56)
    }
}
