// The attempt: check the delay, derive the key, count and fsync, unwrap, all under the lock. Nothing
// that ends the process before the count costs an attempt; nothing after it buys one.
// Bound by DESIGN §1.5, §4.
package import Linux

/// A keystore whose PIN was right: the only thing that can decrypt a seed.
package struct UnlockedKeystore: ~Copyable {
    var image: KeystoreImage
    let deviceKey: DeviceKey
    var share: DeviceShare
    var pinKey: SecureBytes
    var keystoreKey: RootKey
    var metadata: Metadata
    /// The attempt record as it is on disk.
    var record: AttemptRecord
    /// The last record whose folders were fsynced.
    var durable: AttemptRecord
    /// The share has a new place, and the old one is still to be cleared.
    var isShareMoved = false
    /// How many tries the protector that counts was last armed with: no record's limit is above it.
    var armedTries: Int
    /// What the next version of the keystore has to be above.
    var highestGeneration: UInt64
    /// Taken before the try, so that a full disk can't keep a right PIN from resetting the count.
    var reserved: ReservedReset?

    package var tokens: [TokenMetadata] { metadata.tokens }
    package var issuers: [TrustedIssuer] { metadata.issuers }
    package var publicSection: PublicSection { image.publicSection }
    /// The generation of the used links that the next `save` names: FORMAT.md §11.
    package var usedLinks: UInt64 {
        get { metadata.usedLinks }
        set { metadata.usedLinks = newValue }
    }
    /// What the log's head may vouch for now: both are on the disk, whatever happens.
    package var vouched: Vouched {
        var vouched = Vouched(
            durable, of: deviceKey.deviceName, keystore: image.header.generation)
        // The PIN was right.
        vouched.count?.failures = 0
        return vouched
    }
}

extension LockedKeystore {
    /// Tries a PIN.
    ///
    /// - Parameters:
    ///   - policyLimit: the stricter attempt limit of the administrator's policy and the tokens'.
    ///   - clock: read under the lock, before the delay and before the count.
    ///   - vouch: puts on the disk, out of the records' reach, that the attempt is counted. What it
    ///     throws ends the attempt before the PIN is tried; the count is taken back.
    /// - Throws: `KeystoreError.delayed`, `.wrongPIN`, `.erasedNow` and `.closedByChip` (then call
    ///   `Erasure`), `.damaged`, `.foreignChip`, `.chip`, `.changed` (read before the lock was held:
    ///   examine again), `.outOfMemory`, `.busy`, `.system`. Only `wrongPIN` and `erasedNow` spend an
    ///   attempt.
    package consuming func unlock(
        _ pin: borrowing PINDigits, folders: KeystoreFolders,
        lock: KeystoreLock, policyLimit: Int,
        clock: () throws(SystemError) -> ClockReading,
        vouch: (Vouched) throws(KeystoreError) -> Void
    ) throws(KeystoreError) -> UnlockedKeystore {
        let files = try AttemptFiles(deviceKey)
        // Under this very lock nobody else writes: what was examined under it is what is there.
        if examinedUnder !== lock {
            try confirmKeystore(folders)
            try confirmAttempts(files, folders: folders)
        }
        try checkDelay(
            files, folders: folders, policyLimit: policyLimit, clock: clock)
        let mayBeOlder = mayBeOlder
        try keeper.check()
        let pinKey = try derivePINKey(pin, header: image.header)
        let reading = try translating(clock)
        let now = reading.boot
        let counted = attempts.counted(policy: policyLimit, now: now)
        var reserved = try files.reserve(in: folders)
        try lock.confirm(folders)
        // Again, because a lock file that was swapped in the meantime let another one count.
        try confirmAttempts(files, folders: folders)
        let undo = attempts.takenBack(after: counted, now: now)
        try files.write(counted, in: folders) {
            reserved.takeBack(files.bytes(undo), in: folders)
        }
        do throws(KeystoreError) {
            try vouch(
                Vouched(
                    counted, of: deviceKey.deviceName, keystore: vouchedGeneration))
        } catch {
            reserved.takeBack(files.bytes(undo), in: folders)
            throw error
        }
        let tried: TriedKey
        do throws(ShareRefusal) { tried = try self.tried(pinKey, tries: policyLimit) } catch {
            switch error {
            case .wrongPIN:
                guard counted.count < counted.limit else { throw .erasedNow }
                throw .wrongPIN(
                    attemptsLeft: counted.limit - counted.count,
                    delaySeconds: AttemptRecord.delaySeconds(count: counted.count))
            case .closed:
                guard counted.count < counted.limit else { throw .erasedNow }
                try files.write(counted.closed(now: now), in: folders)
                throw .closedByChip
            case .afterRightPIN(let error):
                try? reserved.fill(files.bytes(reset(counted, now: now)))
                throw error
            case .unjudged(let error):
                try? reserved.fill(files.bytes(undo))
                throw error
            }
        }
        let opened: OpenedContent
        do throws(KeystoreError) {
            opened = try OpenedContent(image, tried.unlockKey, deviceKey)
        } catch {
            // Damage or want of memory behind the right PIN costs no attempt (DESIGN §1.8).
            try? reserved.fill(files.bytes(reset(counted, now: now)))
            throw error
        }
        var unlocked = UnlockedKeystore(
            image: image, deviceKey: deviceKey, share: tried.share, pinKey: pinKey,
            keystoreKey: opened.keystoreKey, metadata: opened.metadata, record: counted,
            durable: counted, armedTries: policyLimit,
            highestGeneration: attempts.highestKeystoreGeneration, reserved: reserved)
        // What a cut change left in the chip, or of it in the file; if not now, after the next PIN.
        if !isShareSettled { unlocked.settleShare(folders) }
        if mayBeOlder {
            do throws(KeystoreError) {
                try unlocked.acceptOlder(folders, lock: lock, unixSeconds: reading.unixSeconds)
            } catch {
                // The PIN was right, whatever fails behind it.
                try? unlocked.resetAttempts(folders, policyLimit: policyLimit, now: now)
                throw error
            }
        }
        return unlocked
    }

    /// How long the delay still lasts; 0 if it is over.
    package func delaySeconds(now: BootTime) -> Int {
        switch attempts.record.delay(now: now) {
        case .over: 0
        case .remaining(let seconds), .restart(let seconds): seconds
        }
    }

    /// The try itself: the share, and the key that it and the PIN's make, once the commitment fits.
    private func tried(
        _ pinKey: borrowing SecureBytes, tries: Int
    ) throws(ShareRefusal) -> TriedKey {
        let share = try keeper.share(pinKey, tries: tries)
        let unlockKey: UnlockKey
        do throws(KeystoreError) {
            unlockKey = try image.unlockKey(pinKey, share, deviceKey.binding)
        } catch { throw .unjudged(error) }
        guard isEqualInConstantTime(unlockKey.commitment, image.sealedKey.commitment) else {
            throw keeper.mismatch
        }
        return TriedKey(share: share, unlockKey: unlockKey)
    }

    /// What the head says of the keystore at the try. One that may be older stays older until it is
    /// written anew, whatever ends the try: the head names the next generation.
    private var vouchedGeneration: UInt64 {
        mayBeOlder ? max(attempts.highestKeystoreGeneration, generation + 1) : generation
    }

    private func reset(_ counted: AttemptRecord, now: BootTime) -> AttemptRecord {
        counted.reset(
            keystoreGeneration: counted.keystoreGeneration, limit: counted.limit, now: now)
    }

    /// Checks that the keystore is still the one that was examined: an older one would be written
    /// back over a counter or a PIN that moved on.
    private func confirmKeystore(_ folders: KeystoreFolders) throws(KeystoreError) {
        guard let file = try KeystoreCondition.readKeystore(folders),
            file.deviceName == deviceKey.deviceName, try file.verified(by: deviceKey) == image
        else { throw .changed }
    }

    /// Checks that no attempt has been counted since this keystore was examined: one counted on an
    /// older record would be an attempt bought.
    private func confirmAttempts(
        _ files: borrowing AttemptFiles, folders: KeystoreFolders
    ) throws(KeystoreError) {
        guard try files.standing(in: folders, vouched: attempts.vouched) == attempts else {
            throw .changed
        }
    }

    private func checkDelay(
        _ files: borrowing AttemptFiles, folders: KeystoreFolders, policyLimit: Int,
        clock: () throws(SystemError) -> ClockReading
    ) throws(KeystoreError) {
        let now = try translating(clock).boot
        switch attempts.record.delay(now: now) {
        case .over: return
        case .remaining(let seconds): throw .delayed(seconds: seconds)
        case .restart(let seconds):
            try files.write(
                attempts.delayedAnew(policy: policyLimit, now: now), in: folders)
            throw .delayed(seconds: seconds)
        }
    }
}

extension UnlockedKeystore {
    /// Opens what was put back without a step back: which HOTP counters were used is not known, so
    /// that their tokens make no OTP any more, nor which links, so that each that may have been is used;
    /// and what is written is newer than all that was.
    fileprivate mutating func acceptOlder(
        _ folders: KeystoreFolders, lock: KeystoreLock, unixSeconds: Int64
    ) throws(KeystoreError) {
        usedLinks = Vouched.untoldUsedLinks(unixSeconds: unixSeconds, above: usedLinks)
        for index in metadata.tokens.indices where metadata.tokens[index].parameters.hasCounter {
            metadata.tokens[index].warnings.insert(.counterUnknown)
        }
        try save(folders, lock: lock)
    }
}

/// What a right PIN gives.
private struct TriedKey: ~Copyable {
    let share: DeviceShare
    let unlockKey: UnlockKey
}

/// What the unlock key opens.
private struct OpenedContent: ~Copyable {
    let keystoreKey: RootKey
    let metadata: Metadata

    init(
        _ image: KeystoreImage, _ unlockKey: borrowing UnlockKey, _ deviceKey: borrowing DeviceKey
    ) throws(KeystoreError) {
        let key = RootKey(try image.unwrap(unlockKey))
        metadata = try image.openMetadata(key, deviceKey)
        keystoreKey = key
    }
}

/// PINKey of FORMAT.md §2.
func derivePINKey(
    _ pin: borrowing PINDigits, header: Header
) throws(KeystoreError) -> SecureBytes {
    try argon2id(
        pin.bytes, salt: header.salt, operations: header.cost.operations,
        memoryBytes: header.cost.memoryBytes)
}

extension KeystoreImage {
    /// The key that a PIN's key, this device's share and this header make together.
    func unlockKey(
        _ pinKey: borrowing SecureBytes, _ share: borrowing DeviceShare, _ binding: MachineBinding
    ) throws(KeystoreError) -> UnlockKey {
        try UnlockKey(pinKey: pinKey, share: share, binding: binding, headerHash: headerHash)
    }

    /// Unwraps the keystore key after the commitment fitted; what doesn't open then is damage.
    func unwrap(_ unlockKey: borrowing UnlockKey) throws(KeystoreError) -> SecureBytes {
        let headerHash = headerHash
        let keystoreKey = try sealedKey.wrapped.decryptSecret(
            key: unlockKey.key, additional: headerHash)
        guard let keystoreKey, keystoreKey.count == 32 else { throw .damaged(.keystore) }
        return keystoreKey
    }

    /// Decrypts names and parameters.
    func openMetadata(
        _ keystoreKey: borrowing RootKey, _ deviceKey: borrowing DeviceKey
    ) throws(KeystoreError) -> Metadata {
        let headerHash = headerHash
        let key = try keystoreKey.subkey(0, "stmetada")
        guard let plain = metadata.decrypt(key: key, additional: headerHash),
            let opened = Metadata(plain, slotCount: header.slotCount),
            try IssuerTags(opened.issuers, deviceKey).fit(publicSection)
        else { throw .damaged(.keystore) }
        return opened
    }
}
