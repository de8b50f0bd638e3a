// A new keystore: a new device key, share and keystore key; written in the order device key, share,
// both attempt records, keystore. Whatever is cut before the last is `none`. Bound by FORMAT.md §7.
package import Linux

extension UnlockedKeystore {
    /// Makes the keys of a new keystore and writes everything but the keystore itself, which the
    /// first `save` writes.
    ///
    /// - Parameters:
    ///   - vouched: what the log's head vouches for: its generations are gone on with.
    ///   - wish: who is to keep the share.
    /// - Throws: `KeystoreError.changed` when there is a keystore (by now) or an erasure to finish:
    ///   a new device key would destroy it. `.chip` where it is insisted on. `.machineIDUnreadable`,
    ///   `.outOfMemory`, `.busy`, `.system`, and those of `KeystoreCondition.examine`.
    package static func create(
        _ pin: borrowing PINDigits, folders: KeystoreFolders,
        lock: KeystoreLock, machineID: MachineValues, policyLimit: Int,
        vouched: Vouched? = nil, protector wish: ProtectorWish = .deviceFile,
        clock: () throws(SystemError) -> ClockReading
    ) throws(KeystoreError) -> UnlockedKeystore {
        let binding = try MachineBinding.forNewKeystore(machineID)
        let key = try SecureBytes(randomCount: 32)
        let deviceKey = try DeviceKey(key, binding: binding)
        var header = Header(
            protector: .deviceFile(instead: nil), boundTo: binding.values, cost: .moderate,
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
        // What a cut creation made in the chip, or an erasure left: the file that names it goes.
        _ = try ShareFile.eraseFromChip(folders)
        try DeviceKey.write(key, in: folders.state)
        let kept: KeptShare
        do throws(KeystoreError) {
            kept = try KeptShare.made(
                wish, for: pinKey, tries: policyLimit, beside: ShareFile(), isTriedOut: false,
                in: folders, deviceKey)
        } catch {
            try? ShareFile.settle(header.protector, in: folders, deviceKey)
            throw error
        }
        header.protector = kept.protector
        // What a chip that failed in between was to hold.
        try? ShareFile.settle(header.protector, in: folders, deviceKey)
        let files = try AttemptFiles(deviceKey)
        try files.write(record, in: folders)
        return UnlockedKeystore(
            image: KeystoreImage(empty: header), deviceKey: deviceKey, share: kept.takeShare(),
            pinKey: pinKey,
            keystoreKey: RootKey(
                try SecureBytes(randomCount: 32)),
            metadata: Metadata(), record: record, durable: record, armedTries: policyLimit,
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
