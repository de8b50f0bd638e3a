// A new keystore: a new device key, share and keystore key; written in the order device key, share,
// both attempt records, keystore. Whatever is cut before the last is `none`. Bound by FORMAT.md §7.
package import Linux

extension UnlockedKeystore {
    /// Makes the keys of a new keystore and writes everything but the keystore itself, which the
    /// first `save` writes.
    ///
    /// - Parameter vouched: what the log's head vouches for: its generations are gone on with.
    /// - Throws: `KeystoreError.changed` when there is a keystore (by now) or an erasure to finish:
    ///   a new device key would destroy it. `.machineIDUnreadable`, `.outOfMemory`, `.busy`,
    ///   `.system`, and those of `KeystoreCondition.examine`.
    package static func create(
        _ pin: borrowing PINDigits, folders: KeystoreFolders,
        lock: KeystoreLock, machineID: MachineValues, policyLimit: Int,
        vouched: Vouched? = nil,
        clock: () throws(SystemError) -> ClockReading
    ) throws(KeystoreError) -> UnlockedKeystore {
        let binding = try MachineBinding.forNewKeystore(machineID)
        let key = try SecureBytes(randomCount: 32)
        let deviceKey = try DeviceKey(key, binding: binding)
        let share = try DeviceShare()
        let header = Header(
            protector: .deviceFile, boundTo: binding.values, cost: .moderate,
            deviceName: deviceKey.deviceName)
        let pinKey = try derivePINKey(pin, header: header)
        let record = AttemptRecord(
            generation: (vouched?.attempts ?? 0) + 1,
            keystoreGeneration: (vouched?.keystore ?? 0) + 1, count: 0, limit: policyLimit,
            isVouched: vouched != nil, now: try translating(clock).boot)
        try lock.confirm(folders)
        switch try KeystoreCondition.examine(folders, machineID: machineID) {
        case .missing: break
        case .erased: break
        default: throw .changed
        }
        try DeviceKey.write(key, in: folders.state)
        try share.write(in: folders.state, deviceKey: deviceKey)
        let files = try AttemptFiles(deviceKey)
        try files.write(record, in: folders, undo: nil)
        return UnlockedKeystore(
            image: KeystoreImage(empty: header), deviceKey: deviceKey, share: share,
            pinKey: pinKey,
            keystoreKey: RootKey(
                try SecureBytes(randomCount: 32)),
            metadata: Metadata(), record: record, durable: record,
            highestGeneration: vouched?.keystore ?? 0, reserved: nil)
    }
}

extension KeystoreImage {
    /// The image of a keystore that has never been written: eight unused slots.
    fileprivate init(empty header: Header) {
        self.header = header
        publicSection = PublicSection()
        sealedKey = SealedKey([])
        metadata = Box([])
        slots = (0..<8).flatMap { _ in SeedSlot.unused() }
    }
}
