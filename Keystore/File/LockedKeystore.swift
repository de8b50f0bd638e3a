// A keystore that is whole and this device's, without its keys: it can say what is known without a
// PIN and take one, and has no function that makes an OTP. Bound by DESIGN §4 and FORMAT.md §5.
package import Linux

/// What the two folders hold.
package enum KeystoreCondition: ~Copyable {
    /// Nothing, or a cut creation.
    case missing
    /// Erased after too many wrong PINs; when, Unix seconds.
    case erased(atUnixSeconds: Int64)
    /// An erasure that something cut short: finish it under the lock.
    case erasing
    /// Both attempt records are lost: no attempt is left.
    case attemptRecordsLost
    /// Whole, and waiting for a PIN.
    case locked(LockedKeystore)
}

package struct LockedKeystore: ~Copyable {
    let image: KeystoreImage
    let deviceKey: DeviceKey
    let keeper: KeyProtector
    /// Nothing is left of a change of the PIN or the protector that was cut.
    let isShareSettled: Bool
    package let attempts: AttemptStanding
    /// The lock that was held while the files were read; nil where none was.
    let examinedUnder: KeystoreLock?

    package var publicSection: PublicSection { image.publicSection }
    package var protector: Protector { image.header.protector }
    package func binding(on machine: MachineValues) -> HomeBinding {
        image.header.boundTo.strength(on: machine)
    }
    package var generation: UInt64 { image.header.generation }
    /// A keystore older than the attempt record or the log's head says, or a record older than the
    /// head says: somebody put an old copy back.
    package var isPutBack: Bool { attempts.isOlder(keystoreGeneration: generation) }
    /// It was put back, or the log that vouched for it is lost: what was counted and kept since then
    /// is not known.
    package var mayBeOlder: Bool { isPutBack || attempts.isLogLost }
    /// Checks, without a PIN, that the share is there to be had.
    ///
    /// - Throws: `KeystoreError.foreignChip`, `.chip`.
    package func checkProtector() throws(KeystoreError) { try keeper.check() }

    /// How an issuer's key stands under the name that its link bears: known without a PIN.
    ///
    /// - Throws: `KeystoreError.outOfMemory`.
    package func trust(
        of key: VerifyingKey, named name: String
    ) throws(KeystoreError) -> IssuerTrust {
        try IssuerTrust(of: TrustedIssuer(key: key, name: name), publicSection, deviceKey)
    }

    init(
        image: KeystoreImage, deviceKey: consuming DeviceKey, keeper: consuming KeyProtector,
        isShareSettled: Bool,
        attempts: AttemptStanding, examinedUnder lock: KeystoreLock?
    ) {
        self.image = image
        self.deviceKey = deviceKey
        self.keeper = keeper
        self.isShareSettled = isShareSettled
        self.attempts = attempts
        examinedUnder = lock
    }
}

extension KeystoreCondition {
    /// Nothing stands in the way of a new keystore.
    package var isFree: Bool {
        switch self {
        case .missing: true
        case .erased: true
        default: false
        }
    }

    /// Reads the folders and judges them in the order of FORMAT.md §5; writes nothing.
    ///
    /// - Parameter vouched: what the log's head vouches for, read before: what is written meanwhile
    ///   is then newer than it, never older. nil where there is no head that counts.
    /// - Parameter lock: the lock, where it is held: a try under it reads nothing again before it
    ///   derives the key.
    /// - Throws: `KeystoreError.damaged`, `.foreign`, `.deviceKeyMissing`, `.machineIDUnreadable`,
    ///   `.problem`, `.system`.
    package static func examine(
        _ folders: KeystoreFolders, machineID: MachineValues, vouched: Vouched? = nil,
        under lock: KeystoreLock? = nil
    ) throws(KeystoreError) -> KeystoreCondition {
        guard let unverified = try readKeystore(folders) else {
            return try examineWithoutKeystore(folders, machineID: machineID, vouched: vouched)
        }
        guard let key = try DeviceKey.read(folders.state) else {
            throw .deviceKeyMissing(folder: folders.state.path)
        }
        let binding = try binding(unverified, machineID: machineID)
        let deviceKey = try DeviceKey(key, binding: binding)
        guard deviceKey.deviceName == unverified.deviceName else { throw .foreign }
        let image = try unverified.verified(by: deviceKey)
        if try Tombstone.read(folders.state, machineID: machineID)?.deviceName
            == deviceKey.deviceName
        {
            return .erasing
        }
        let files = try AttemptFiles(deviceKey)
        guard let attempts = try files.standing(in: folders, vouched: vouched) else {
            return .attemptRecordsLost
        }
        guard !attempts.isErasing else { return .erasing }
        let file = try ShareFile.read(folders.state, deviceKey: deviceKey)
        let protector = image.header.protector
        let isSettled = file.isSettled(for: protector)
        let keeper = try KeyProtector(protector, file, folders.chip)
        return .locked(
            LockedKeystore(
                image: image, deviceKey: deviceKey, keeper: keeper, isShareSettled: isSettled,
                attempts: attempts, examinedUnder: lock))
    }

    /// The handles of the indices in the chip that `device-share` names, whoever's it is; nil where it
    /// can't be read.
    package static func indicesInChip(_ folders: KeystoreFolders) -> [UInt32]? {
        let pairs = try? ShareFile.pairs(folders.state)
        return pairs?.flatMap { [$0.handle, $0.handle + 1] }
    }

    static func readKeystore(
        _ folders: KeystoreFolders
    ) throws(KeystoreError) -> UnverifiedKeystore? {
        let file: [UInt8]?
        do throws(FileProblem) {
            file = try folders.data.contents(
                of: KeystoreImage.fileName, limit: KeystoreImage.maximumByteCount)
        } catch {
            if case .tooLong = error { throw .damaged(.keystore) }
            throw KeystoreError(error)
        }
        guard let file else { return nil }
        return try UnverifiedKeystore(file)
    }

    /// The binding that the header asks for.
    private static func binding(
        _ keystore: UnverifiedKeystore, machineID: MachineValues
    ) throws(KeystoreError) -> MachineBinding {
        guard let binding = MachineBinding(keystore.boundTo, of: machineID) else {
            throw .machineIDUnreadable
        }
        return binding
    }

    private static func examineWithoutKeystore(
        _ folders: KeystoreFolders, machineID: MachineValues, vouched: Vouched?
    ) throws(KeystoreError) -> KeystoreCondition {
        let tombstone = try Tombstone.read(folders.state, machineID: machineID)
        let isResumable = try ErasureInProgress.find(
            folders, machineID: machineID, vouched: vouched)
        if isResumable { return .erasing }
        if let tombstone { return .erased(atUnixSeconds: tombstone.unixSeconds) }
        return .missing
    }
}
