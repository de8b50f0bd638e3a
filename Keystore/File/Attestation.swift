// The prescriber's word that this is not the prescribing device, kept as a record of this device and
// this keystore. Bound by DESIGN §6 and FORMAT.md §9.
internal import Linux

package enum Attestation {
    static let fileName = "attestation"
    private static let magic = Array("ST-ATST1".utf8)

    /// When it was given, Unix seconds; nil if it is missing, altered, or of another keystore.
    package static func read(
        _ folders: KeystoreFolders, of keystore: borrowing LockedKeystore
    ) throws(KeystoreError) -> Int64? {
        let file = try contents(of: fileName, in: folders.state, limit: 80)
        guard let file, file.count == 80 else { return nil }
        let isAuthentic = try keystore.deviceKey.withMACKey(.attestation) {
            $0.isAuthentic(file)
        }
        var reader = ByteReader(file)
        guard isAuthentic, reader.bytes(8) == magic,
            reader.bytes(16) == keystore.deviceKey.deviceName,
            reader.bytes(16) == keystore.image.header.keystoreID
        else { return nil }
        return reader.integer(Int64.self)
    }

    /// Removes it: the verdict was `.separate`, and asks again when it no longer is.
    package static func remove(_ folders: KeystoreFolders) throws(KeystoreError) {
        try translating(try folders.state.remove(fileName))
    }

    fileprivate static func write(
        _ folders: KeystoreFolders, deviceKey: borrowing DeviceKey, keystoreID: [UInt8],
        unixSeconds: Int64
    ) throws(KeystoreError) {
        var writer = ByteWriter()
        writer.append(magic)
        writer.append(deviceKey.deviceName)
        writer.append(keystoreID)
        writer.append(unixSeconds)
        let file = try deviceKey.withMACKey(.attestation) { $0.authenticated(writer.bytes) }
        try translating(try folders.state.replace(fileName, bytes: file.span))
    }
}

extension UnlockedKeystore {
    /// Keeps the attestation that was given before this keystore was made.
    package func keepAttestation(
        _ folders: KeystoreFolders, unixSeconds: Int64
    ) throws(KeystoreError) {
        try Attestation.write(
            folders, deviceKey: deviceKey, keystoreID: image.header.keystoreID,
            unixSeconds: unixSeconds)
    }
}
