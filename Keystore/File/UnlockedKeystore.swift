// What can be done with the right PIN: make codes, add, rename, remove, change the PIN; and how it
// is written back. Bound by DESIGN §3 and FORMAT.md §5, §7.
package import Linux
package import OTP

/// A new token's public content.
package struct NewToken: Sendable {
    package var name: String
    package var issuer: String?
    package var account: String?
    package var serial: String?
    package var parameters: TokenParameters
    package var activatedUnixSeconds: Int64
    package var pendingUntilUnixSeconds: Int64?
    package var expiresUnixSeconds: Int64?
    package var origin: TokenMetadata.Origin
    package var warnings: TokenWarnings
    package var policy: TokenPolicy

    package init(
        name: String, issuer: String?, account: String?, serial: String?,
        parameters: TokenParameters, activatedUnixSeconds: Int64, pendingUntilUnixSeconds: Int64?,
        expiresUnixSeconds: Int64?, origin: TokenMetadata.Origin, warnings: TokenWarnings,
        policy: TokenPolicy
    ) {
        self.name = name
        self.issuer = issuer
        self.account = account
        self.serial = serial
        self.parameters = parameters
        self.activatedUnixSeconds = activatedUnixSeconds
        self.pendingUntilUnixSeconds = pendingUntilUnixSeconds
        self.expiresUnixSeconds = expiresUnixSeconds
        self.origin = origin
        self.warnings = warnings
        self.policy = policy
    }
}

extension UnlockedKeystore {
    /// Decrypts one token's seed, keys its HMAC and drops the seed.
    ///
    /// - Throws: `KeystoreError.tokenMissing`, `.counterUnknown`, `.damaged`, `.outOfMemory`.
    package borrowing func codeGenerator(_ id: UInt64) throws(KeystoreError) -> CodeGenerator {
        guard let token = metadata.tokens.first(where: { $0.id == id }) else {
            throw .tokenMissing
        }
        guard !token.warnings.contains(.counterUnknown) else { throw .counterUnknown }
        let seed = try image.seed(of: token, keystoreKey)
        guard let seed else { throw .damaged(.keystore) }
        return try CodeGenerator(seed: seed, algorithm: token.parameters.algorithm)
    }

    /// Takes a token in; its seed is encrypted at once.
    ///
    /// - Returns: its id.
    /// - Throws: `KeystoreError.nameTaken`, `.full`, `.outOfMemory`.
    package mutating func add(
        _ token: NewToken, seed: borrowing Seed
    ) throws(KeystoreError) -> UInt64 {
        guard !metadata.tokens.contains(where: { $0.name.asSeen == token.name.asSeen }) else {
            throw .nameTaken
        }
        guard metadata.tokens.count < Metadata.maximumTokens else { throw .full }
        let id = unusedID()
        let slot = unusedSlot()
        let encrypted = try SeedSlot.encrypt(
            seed, for: image.place(of: id, token.parameters), keystoreKey: keystoreKey)
        image.replaceSlot(slot, with: encrypted)
        metadata.tokens.append(TokenMetadata(id: id, slot: slot, token: token))
        return id
    }

    /// - Throws: `KeystoreError.nameTaken`, `.tokenMissing`.
    package mutating func rename(_ id: UInt64, to name: String) throws(KeystoreError) {
        let isTaken = metadata.tokens.contains { $0.name.asSeen == name.asSeen && $0.id != id }
        guard !isTaken else { throw .nameTaken }
        metadata.tokens[try index(of: id)].name = name
    }

    /// Removes a token and overwrites its slot.
    ///
    /// - Throws: `KeystoreError.tokenMissing`.
    package mutating func remove(_ id: UInt64) throws(KeystoreError) {
        let token = metadata.tokens.remove(at: try index(of: id))
        image.replaceSlot(token.slot, with: SeedSlot.unused())
    }

    /// Uses a HOTP counter: the next one is what stands in the keystore afterwards.
    ///
    /// - Returns: the counter to be used now.
    /// - Throws: `KeystoreError.counterExhausted`, `.counterUnknown`, `.tokenMissing`.
    package mutating func useCounter(_ id: UInt64) throws(KeystoreError) -> UInt64 {
        let index = try index(of: id)
        guard case .counter(let counter) = metadata.tokens[index].parameters.factor else {
            preconditionFailure("only a HOTP token has a counter")
        }
        guard !metadata.tokens[index].warnings.contains(.counterUnknown) else {
            throw .counterUnknown
        }
        guard counter <= TokenParameters.maximumCounter else { throw .counterExhausted }
        metadata.tokens[index].parameters.factor = .counter(counter + 1)
        return counter
    }

    /// Adds a prescribing record; one that is there already is no error.
    ///
    /// - Throws: `KeystoreError.full`.
    package mutating func add(prescribingRecord record: String) throws(KeystoreError) {
        guard !image.publicSection.prescribingRecords.contains(record) else { return }
        guard image.publicSection.prescribingRecords.count < PublicSection.maximumRecords else {
            throw .full
        }
        image.publicSection.prescribingRecords.append(record)
    }

    /// Trusts an issuer's signing key under its name, and under no name that it had before.
    ///
    /// - Throws: `KeystoreError.full`.
    package mutating func trust(_ issuer: TrustedIssuer) throws(KeystoreError) {
        guard !metadata.issuers.contains(issuer) else { return }
        metadata.issuers.removeAll { $0.key == issuer.key }
        guard metadata.issuers.count < Metadata.maximumIssuers else { throw .full }
        metadata.issuers.append(issuer)
    }

    /// - Returns: whether the key was trusted.
    package mutating func distrust(_ key: VerifyingKey) -> Bool {
        let count = metadata.issuers.count
        metadata.issuers.removeAll { $0.key == key }
        return metadata.issuers.count < count
    }

    /// Derives the new PIN's key under a new salt, and draws a new keystore key: what the old PIN
    /// opens in an old copy opens nothing that is written from now on. With the chip, and where the
    /// protector changes, the share is a new one, too, and has its place already; the keystore is the
    /// old one until `save`, which takes the old share out.
    ///
    /// - Parameters:
    ///   - wish: who is to keep the share; nil for who keeps it now.
    ///   - policyLimit: as for `unlock`.
    /// - Throws: `KeystoreError.chip`, `.foreignChip`, `.outOfMemory`, `.system`; then all is as it was.
    package mutating func setPIN(
        _ pin: borrowing PINDigits, protector wish: ProtectorWish? = nil,
        in folders: KeystoreFolders, policyLimit: Int
    ) throws(KeystoreError) {
        var next = image
        next.header.salt = randomBytes(count: 16)
        next.header.sealsParameters = true
        let newPINKey = try derivePINKey(pin, header: next.header)
        let newKey = RootKey(try SecureBytes(randomCount: 32))
        for token in metadata.tokens {
            // A damaged slot opens under no key: it stays as it is, and its token unusable.
            guard let seed = try image.seed(of: token, keystoreKey) else { continue }
            next.replaceSlot(
                token.slot,
                with: try SeedSlot.encrypt(
                    seed, for: next.place(of: token.id, token.parameters), keystoreKey: newKey))
        }
        let isChip = image.header.protector.isChip
        let wish = wish ?? (isChip ? .chip : .deviceFile)
        if isChip || wish != .deviceFile {
            next.header.protector = try moveShare(
                wish, newPINKey, tries: max(policyLimit, record.limit), in: folders)
        }
        pinKey = newPINKey
        keystoreKey = newKey
        image = next
    }

    private mutating func moveShare(
        _ wish: ProtectorWish, _ newPINKey: borrowing SecureBytes, tries: Int,
        in folders: KeystoreFolders
    ) throws(KeystoreError) -> Protector {
        try ShareFile.settle(image.header.protector, in: folders, deviceKey)
        do throws(KeystoreError) {
            let kept = try KeptShare.made(
                wish, for: newPINKey, tries: tries,
                beside: try ShareFile.read(folders.state, deviceKey: deviceKey),
                isTriedOut: image.header.protector.isChip, in: folders, deviceKey)
            let protector = kept.protector
            share = kept.takeShare()
            armedTries = tries
            isShareMoved = true
            return protector
        } catch {
            settleShare(folders)
            throw error
        }
    }

    /// Takes out what the keystore on the disk doesn't ask for any more: the share of the PIN before, or
    /// of one that was never saved. What can't be is named in `device-share` until it can.
    func settleShare(_ folders: KeystoreFolders) {
        try? ShareFile.settle(image.header.protector, in: folders, deviceKey)
    }

    /// Keeps what the administrator asks for, to hold where that can't be believed.
    package mutating func keep(seenPolicy: SeenPolicy) {
        var added = image.publicSection.added ?? PublicSection.Added()
        added.seenPolicy = seenPolicy
        image.publicSection.added = added
    }
}

extension UnlockedKeystore {
    /// Writes the keystore, one generation on: the old one or the new one, whole.
    ///
    /// - Throws: `KeystoreError.full`, `.outOfMemory`, `.busy`, `.system`.
    package mutating func save(
        _ folders: KeystoreFolders, lock: KeystoreLock
    ) throws(KeystoreError) {
        try lock.confirm(folders)
        var next = image
        // Above a keystore that was replaced by an older one, too: no copy of it counts as newer.
        next.header.generation = max(next.header.generation, highestGeneration) + 1
        next.publicSection.policy = metadata.policy
        let tags = try IssuerTags(metadata.issuers, deviceKey)
        next.publicSection.issuerTags = tags.keys
        next.publicSection.added = PublicSection.Added(
            nameTags: tags.names,
            seenPolicy: next.publicSection.added?.seenPolicy ?? SeenPolicy())
        let publicBytes = next.publicSection.encoded
        let plain = metadata.encoded
        next.header.publicByteCount = publicBytes.count
        next.header.metadataByteCount = plain.count + Box.tagByteCount
        next.header.slotCount = next.slots.count / SeedSlot.byteCount
        guard Header(next.header.encoded) != nil,
            next.header.fileByteCount <= KeystoreImage.maximumByteCount
        else { throw .full }
        // A text that breaks its rule would make the whole keystore damaged at its next opening.
        precondition(
            PublicSection(publicBytes) != nil
                && Metadata(plain, slotCount: next.header.slotCount) != nil,
            "names and records are checked before they come here")
        let headerHash = KeystoreImage.headerHash(next.header, publicBytes)
        let unlockKey = try UnlockKey(
            pinKey: pinKey, share: share, binding: deviceKey.binding, headerHash: headerHash)
        next.sealedKey = SealedKey(
            wrapping: keystoreKey.bytes, unlockKey: unlockKey, headerHash: headerHash)
        next.metadata = Box(
            encrypting: plain, key: try keystoreKey.subkey(0, "stmetada"), additional: headerHash)
        let file = try next.encoded(by: deviceKey)
        try translating(try folders.data.replace(KeystoreImage.fileName, bytes: file.span))
        image = next
        if isShareMoved { settleShare(folders) }
        isShareMoved = false
    }

    /// Records that the PIN was right: both attempt records at 0, or, when nothing was tried, that
    /// the keystore has been written again. Call it once, after `save`, under the same lock.
    ///
    /// - Throws: `KeystoreError.system`.
    package mutating func resetAttempts(
        _ folders: KeystoreFolders, policyLimit: Int, now: BootTime
    ) throws(KeystoreError) {
        let files = try AttemptFiles(deviceKey)
        let generation = image.header.generation
        if var reset = reserved.take() {
            let wasLast = record.count == record.limit
            // Not below what it says: an older keystore that could not be written stays one.
            record = record.reset(
                keystoreGeneration: max(generation, record.keystoreGeneration),
                limit: min(policyLimit, armedTries), now: now)
            let bytes = files.bytes(record)
            try translating { () throws(SystemError) in
                try reset.fill(bytes)
                // A power cut that brought this count back would erase what was opened.
                guard wasLast else { return }
                try folders.state.sync()
                try folders.data.sync()
            }
        } else if !isUnwritten, record.keystoreGeneration != generation {
            // A keystore whose first writing failed has no generation yet: its records stand.
            record = record.following(keystoreGeneration: generation, now: now)
            try files.write(record, in: folders)
            durable = record
        }
    }

    /// Reads the keystore again under a lock taken anew: others may have written it while a person
    /// chose. No PIN is tried: the key that the right one gave opens it.
    ///
    /// - Parameter vouched: what the log's head vouches for, read under that lock.
    /// - Throws: `KeystoreError.changed` if the PIN was changed, the keystore replaced by another or
    ///   an older one, or erased.
    package mutating func refresh(
        _ folders: KeystoreFolders, machineID: MachineValues, vouched: Vouched?
    ) throws(KeystoreError) {
        guard
            case .locked(let current) = try KeystoreCondition.examine(
                folders, machineID: machineID, vouched: vouched),
            !current.isPutBack, !current.attempts.isCopyLost,
            current.image.header.salt == image.header.salt,
            current.image.header.keystoreID == image.header.keystoreID,
            // An older copy put back in between would make a counter go back.
            current.image.header.generation >= image.header.generation
        else { throw .changed }
        // A new share comes with a new salt alone.
        let unlockKey = try current.image.unlockKey(pinKey, share, deviceKey.binding)
        guard isEqualInConstantTime(unlockKey.commitment, current.image.sealedKey.commitment)
        else { throw .changed }
        keystoreKey = RootKey(try current.image.unwrap(unlockKey))
        metadata = try current.image.openMetadata(keystoreKey, deviceKey)
        image = current.image
        record = current.attempts.record
        highestGeneration = current.attempts.highestKeystoreGeneration
    }
}

extension UnlockedKeystore {
    private func index(of id: UInt64) throws(KeystoreError) -> Int {
        guard let index = metadata.tokens.firstIndex(where: { $0.id == id }) else {
            throw .tokenMissing
        }
        return index
    }

    private func unusedID() -> UInt64 {
        while true {
            let id = randomBytes(count: 8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            if id != 0, !metadata.tokens.contains(where: { $0.id == id }) { return id }
        }
    }

    /// The first free slot; eight new ones when there is none.
    private mutating func unusedSlot() -> UInt32 {
        let used = Set(metadata.tokens.map(\.slot))
        let count = UInt32(image.slots.count / SeedSlot.byteCount)
        if let free = (0..<count).first(where: { !used.contains($0) }) { return free }
        for _ in 0..<8 { image.slots += SeedSlot.unused() }
        return count
    }
}

extension TokenMetadata {
    fileprivate init(id: UInt64, slot: UInt32, token: NewToken) {
        self.init(
            id: id, slot: slot, name: token.name, issuer: token.issuer, account: token.account,
            serial: token.serial, parameters: token.parameters,
            activatedUnixSeconds: token.activatedUnixSeconds,
            pendingUntilUnixSeconds: token.pendingUntilUnixSeconds,
            expiresUnixSeconds: token.expiresUnixSeconds, origin: token.origin,
            warnings: token.warnings, policy: token.policy)
    }
}
