// Erasure: an ordered act that any command resumes. First the records at their limit, last the
// records; in between nothing is left that a PIN could open. Bound by DESIGN §4 and FORMAT.md §8.
package import Linux

package enum Erasure {
    /// Carries an erasure or a reset through, from wherever it was cut. Call it under the lock, when
    /// the attempt records have reached their limit (the wrong PIN did that, or the reset).
    ///
    /// - Parameter vouched: what the log's head vouches for, read under the lock.
    /// - Returns: when the keystore was erased, Unix seconds; nil where it was a reset.
    /// - Throws: `KeystoreError.changed` when nothing asks for an erasure (any more): what was read
    ///   before the lock was held is not believed (DESIGN §4). `.system`, `.outOfMemory`: the next
    ///   command goes on. `.damaged`, `.foreign` and the others of `examine`: nothing is touched.
    package static func complete(
        _ folders: KeystoreFolders, lock: KeystoreLock, machineID: MachineValues,
        vouched: Vouched?, unixSeconds: Int64
    ) throws(KeystoreError) -> Int64? {
        try lock.confirm(folders)
        switch try KeystoreCondition.examine(folders, machineID: machineID, vouched: vouched) {
        case .erasing: break
        case .erased(let earlier): return earlier
        default: throw .changed
        }
        let tombstone = try Tombstone.read(folders.state, machineID: machineID)
        var erasedAt = tombstone?.unixSeconds ?? unixSeconds
        _ = try removeSecrets(folders)
        let device = try ErasureInProgress.device(
            folders, machineID: machineID, vouched: vouched)
        if device?.isReset == true {
            try removeRestAndTombstone(folders)
            return nil
        }
        if let (name, binding, _) = device, tombstone?.deviceName != name {
            let key = try LogKey.readOrCreate(folders.state)
            try Tombstone(deviceName: name, unixSeconds: unixSeconds).write(
                folders.state, binding: binding, key: key)
            erasedAt = unixSeconds
        }
        try removeRest(folders)
        return erasedAt
    }

    /// Destroys the keystore, the device share and the device key: the same act, ending without a
    /// tombstone. What is foreign or damaged is just removed. Call it under the lock.
    ///
    /// - Returns: why something is left in the chip; nil where nothing is.
    /// - Throws: `KeystoreError.system`, `.problem`, `.outOfMemory`.
    package static func reset(
        _ folders: KeystoreFolders, lock: KeystoreLock, machineID: MachineValues,
        now: BootTime
    ) throws(KeystoreError) -> ChipTrouble? {
        try lock.confirm(folders)
        if case .locked(let keystore)? = try? KeystoreCondition.examine(
            folders, machineID: machineID)
        {
            let files = try AttemptFiles(keystore.deviceKey)
            try files.write(keystore.attempts.ofReset(now: now), in: folders)
        }
        let trouble = try removeSecrets(folders)
        try removeRestAndTombstone(folders)
        return trouble
    }

    /// How a reset ends.
    private static func removeRestAndTombstone(
        _ folders: KeystoreFolders
    ) throws(KeystoreError) {
        try removeRest(folders)
        try translating { () throws(SystemError) in
            try folders.state.remove(Tombstone.fileName)
            try folders.state.sync()
        }
    }

    /// The share, which all tokens hang on; the request's key, which opens a link; then the keystore.
    private static func removeSecrets(
        _ folders: KeystoreFolders
    ) throws(KeystoreError) -> ChipTrouble? {
        let trouble = try ShareFile.erase(folders)
        try translating { () throws(SystemError) in
            try folders.state.overwriteAndRemove(RequestFile.fileName)
            try folders.state.sync()
            try folders.data.remove(KeystoreImage.fileName)
            try folders.data.sync()
        }
        return trouble
    }

    /// The device key, what hangs on it, and last the records.
    private static func removeRest(_ folders: KeystoreFolders) throws(KeystoreError) {
        try translating { () throws(SystemError) in
            try folders.state.overwriteAndRemove(DeviceKey.fileName)
            try folders.state.remove(Attestation.fileName)
            try folders.state.sync()
            try folders.data.remove(AttemptRecord.fileName)
            try folders.data.sync()
            try folders.state.remove(AttemptRecord.fileName)
            try folders.state.sync()
        }
    }
}

/// What an erasure that was cut short can be told by.
enum ErasureInProgress {
    /// Whether, with no keystore there, an erasure has to be carried through.
    static func find(
        _ folders: KeystoreFolders, machineID: MachineValues, vouched: Vouched?
    ) throws(KeystoreError) -> Bool {
        guard try wholeKey(folders.state) == nil else {
            return try device(folders, machineID: machineID, vouched: vouched) != nil
        }
        // No device key, or one that was cut while it was overwritten.
        return try Tombstone.read(folders.state, machineID: machineID) != nil
            && (folders.state.contains(DeviceKey.fileName)
                || folders.state.contains(AttemptRecord.fileName)
                || folders.data.contains(AttemptRecord.fileName))
    }

    /// The device whose records are at their limit, or whose tombstone stands.
    static func device(
        _ folders: KeystoreFolders, machineID: MachineValues, vouched: Vouched?
    ) throws(KeystoreError) -> (name: [UInt8], binding: MachineBinding, isReset: Bool)? {
        guard let key = try wholeKey(folders.state) else { return nil }
        let tombstone = try Tombstone.read(folders.state, machineID: machineID)
        for binding in MachineBinding.candidates(machineID) {
            let deviceKey = try DeviceKey(key, binding: binding)
            let standing = try AttemptFiles(deviceKey).standing(in: folders, vouched: vouched)
            let name = deviceKey.deviceName
            if tombstone?.deviceName == name { return (name, binding, false) }
            if let standing, standing.isErasing {
                // Where the head tells of the limit, a reset's record was put in its record's place.
                let isAtLimit =
                    vouched?.count?.deviceName == name && vouched?.count?.isAtLimit == true
                return (name, binding, standing.record.isOfReset && !isAtLimit)
            }
        }
        return nil
    }

    /// The device key; nil where it is missing, or damaged as a cut overwriting leaves it. What the
    /// system would not read is an error: "no key" would end in a tombstone that is never written.
    private static func wholeKey(
        _ state: borrowing Directory
    ) throws(KeystoreError) -> SecureBytes? {
        do throws(KeystoreError) { return try DeviceKey.read(state) } catch {
            guard case .damaged = error else { throw error }
            return nil
        }
    }
}

extension UnlockedKeystore {
    /// Whether this keystore has never been saved.
    package var isUnwritten: Bool { image.header.generation == 0 }

    /// Removes the tombstone of a keystore before this one, which it does not name.
    package func removeTombstone(_ folders: KeystoreFolders) throws(KeystoreError) {
        guard folders.state.contains(Tombstone.fileName) else { return }
        try translating { () throws(SystemError) in
            try folders.state.remove(Tombstone.fileName)
            try folders.state.sync()
        }
    }
}
