// What happens in which order, without a question: verdict before PIN, attempt before try, entry
// before OTP. The door (Door/) asks and calls. Bound by DESIGN §1, §4, §6, §7 and the precedence of
// CONTRACT §2.
import Activation
import Device
import Keystore
import Linux

/// The steps of one user on one device: in Flow/ those that ask nobody, in Asking/ the questions.
///
/// Order of calls: `check` (no PIN), `clearance` for an OTP, `unlock` (the one call that spends an
/// attempt), then `activate`, `makeOTPs` or what else is to be done; each of those ends the use.
struct Flow: Sendable {
    let place: Place
    let device: DeviceFacts
    let clock: @Sendable () throws(SystemError) -> ClockReading
    let chip: ChipDevice
    private let whenWaiting: @Sendable () -> Void
    /// nil until both folders exist.
    var folders: KeystoreFolders?

    /// Opens the folders, where they are.
    ///
    /// - Parameters:
    ///   - chip: this computer's; none for a sample.
    ///   - whenWaiting: called when another process has held the lock for a second.
    /// - Throws: `AuthenticatorError.keystore(.problem)` for a folder of wrong owner or mode.
    init(
        place: Place, device: DeviceFacts, chip: ChipDevice = .none,
        clock: @escaping @Sendable () throws(SystemError) -> ClockReading = ClockReading.now,
        whenWaiting: @escaping @Sendable () -> Void = {}
    ) throws(AuthenticatorError) {
        let folders = try inKeystore { () throws(KeystoreError) in
            let found = try KeystoreFolders.open(
                dataPath: place.dataPath, statePath: place.statePath, chip: chip,
                whenWaiting: whenWaiting)
            guard found == nil, place.isHalfThere else { return found }
            // A copied keystore without its state, or the other way round: told by what is in it.
            return try KeystoreFolders.openOrCreate(
                dataPath: place.dataPath, statePath: place.statePath, chip: chip,
                whenWaiting: whenWaiting)
        }
        self.place = place
        self.device = device
        self.clock = clock
        self.chip = chip
        self.whenWaiting = whenWaiting
        self.folders = folders
    }

    /// Opens none: what is in them can't be read.
    init(without device: DeviceFacts) throws(AuthenticatorError) {
        place = Place(dataPath: "/", statePath: "/")
        self.device = device
        clock = ClockReading.now
        chip = .none
        whenWaiting = {}
        folders = nil
    }

    /// Makes the folders that are missing (0700): `activate`, `request`.
    mutating func makeFolders() throws(AuthenticatorError) {
        let made = try inKeystore(try openOrCreateFolders())
        folders = made
    }

    func openOrCreateFolders() throws(KeystoreError) -> KeystoreFolders {
        if let folders { return folders }
        return try KeystoreFolders.openOrCreate(
            dataPath: place.dataPath, statePath: place.statePath, chip: chip,
            whenWaiting: whenWaiting)
    }

    func now() throws(AuthenticatorError) -> ClockReading {
        try fromSystem(try clock())
    }

    /// What is known of the keystore without a PIN; finishes an erasure that something cut short.
    ///
    /// - Parameter link: whose issuer may be trusted.
    /// - Throws: only what the system did, never the keystore's own state.
    func facts(
        for link: VerifiedLink? = nil
    ) throws(AuthenticatorError) -> KeystoreFacts {
        guard let folders else { return KeystoreFacts() }
        do throws(KeystoreError) {
            try eraseSpentRequest(folders)
            do throws(KeystoreError) {
                let facts = try factsNow(in: folders, for: link)
                if !facts.mayBeOlder { return facts }
            } catch { guard error.mayBeOfAChange else { throw error } }
            // Another process may be at a use, a new PIN, a reset or an erasure, which write one file
            // after the other: once it is done they fit, or are damaged.
            _ = KeystoreLock.othersHaveEnded(folders)
            return try factsNow(in: folders, for: link)
        } catch {
            if case .system = error { throw .keystore(error) }
            var facts = KeystoreFacts(error)
            // The clock comes before what keeps the keystore from being opened (CONTRACT §2).
            facts.baselineUnixSeconds = (try? AuditLog.headStanding(folders))?.baselineUnixSeconds
            return facts
        }
    }

    private func factsNow(
        in folders: KeystoreFolders, for link: VerifiedLink?
    ) throws(KeystoreError) -> KeystoreFacts {
        // The log's head first: what is written meanwhile is then newer than it, never older.
        let head = try AuditLog.headStanding(folders)
        var facts = try facts(in: folders, head.vouched, for: link)
        facts.baselineUnixSeconds = head.baselineUnixSeconds
        return facts
    }

    private func facts(
        in folders: KeystoreFolders, _ vouched: Vouched?, for link: VerifiedLink?
    ) throws(KeystoreError) -> KeystoreFacts {
        let condition = try KeystoreCondition.examine(
            folders, machineID: device.machineID(), vouched: vouched)
        switch consume condition {
        case .missing: return KeystoreFacts()
        case .erased(let time): return KeystoreFacts(erased(time, folders))
        case .attemptRecordsLost: throw .attemptRecordsLost
        case .locked(let keystore): return try facts(of: keystore, in: folders, for: link)
        case .erasing:
            let lock = try KeystoreLock.take(folders)
            // Read again under the lock: another command may have finished it.
            if case .erasing = try examine(folders) { try erase(folders, lock) }
            return try factsNow(in: folders, for: link)
        }
    }

    /// Erases the key of a request that is older than 14 days (DESIGN §7).
    private func eraseSpentRequest(_ folders: KeystoreFolders) throws(KeystoreError) {
        let now = try reading().unixSeconds
        guard try RequestFile.isSpent(folders.state, unixSeconds: now) else { return }
        try KeystoreLock.held(folders) { () throws(KeystoreError) in
            guard try RequestFile.isSpent(folders.state, unixSeconds: now) else { return }
            try RequestFile.remove(folders.state)
        }
    }

    /// Reads the keystore and what stands around it once more, under the lock: after the checks, which
    /// hold none, a prompt may have lasted for hours.
    func examine(
        _ folders: KeystoreFolders, under lock: KeystoreLock? = nil
    ) throws(KeystoreError) -> KeystoreCondition {
        let vouched = try AuditLog.vouched(folders)
        return try KeystoreCondition.examine(
            folders, machineID: device.machineID(), vouched: vouched, under: lock)
    }

    private func facts(
        of keystore: borrowing LockedKeystore, in folders: KeystoreFolders, for link: VerifiedLink?
    ) throws(KeystoreError) -> KeystoreFacts {
        let now = try reading()
        var facts = try judged(keystore)
        let policy = facts.policy
        facts.attemptsLeft = keystore.attempts.attemptsLeft(policy: policy.attemptLimit)
        facts.attemptLimit = keystore.attempts.limit(policy: policy.attemptLimit)
        facts.isAttemptRecordLost = keystore.attempts.isCopyLost
        facts.delaySeconds = keystore.delaySeconds(now: now.boot)
        if case .restart = keystore.attempts.record.delay(now: now.boot) {
            facts.beginsDelayAnew = true
        }
        facts.state = facts.delaySeconds > 0 ? .delayed : .locked
        if let link {
            facts.issuerTrust = try keystore.trust(of: link.key, named: link.issuer)
        }
        facts.attestedUnixSeconds = try Attestation.read(folders, of: keystore)
        facts.protector = keystore.protector
        facts.binding = keystore.binding(on: device.machineID())
        return facts
    }

    /// What the checks judge of a keystore.
    ///
    /// - Throws: `KeystoreError.damaged`.
    func judged(
        _ keystore: borrowing LockedKeystore
    ) throws(KeystoreError) -> KeystoreFacts {
        var facts = KeystoreFacts()
        facts.seenPolicy = holdingPolicy(keystore.publicSection)
        facts.policy = combined(keystore.publicSection)
        facts.mayBeOlder = keystore.mayBeOlder
        for text in keystore.publicSection.prescribingRecords {
            // Whole and authentic, yet unreadable: never judged as if it were not there.
            guard let record = try? PrescribingRecord(parsing: text) else {
                throw .damaged(.keystore)
            }
            facts.records.append(record)
        }
        return facts
    }

    /// Carries an erasure, or a reset that was cut, through and logs it.
    func erase(_ folders: KeystoreFolders, _ lock: KeystoreLock) throws(KeystoreError) {
        let now = try reading().unixSeconds
        // The erasure goes on even if a link can't be put among the used ones.
        try? UsedLinks.recover(folders, tokens: nil)
        let erasedAt = try Erasure.complete(
            folders, lock: lock, machineID: device.machineID(),
            vouched: try AuditLog.vouched(folders), unixSeconds: now)
        let entry =
            erasedAt == nil
            ? resetEntry(folders)
            : AuditEntry(
                .erase, .ok, detail: "too many wrong PINs" + logWords(leftInChip: folders))
        try? AuditLog.append([entry], folders: folders, lock: lock, unixSeconds: now)
    }

    /// That the keystore is erased, with what of it is left in the chip.
    func erased(_ unixSeconds: Int64, _ folders: KeystoreFolders) -> KeystoreError {
        .erased(
            atUnixSeconds: unixSeconds, leftInChip: KeystoreCondition.indicesInChip(folders) ?? [])
    }

    /// What is left in the chip, for the log; empty where nothing is.
    func logWords(leftInChip folders: KeystoreFolders) -> String {
        let left = KeystoreCondition.indicesInChip(folders) ?? []
        return left.isEmpty ? "" : "; left in the TPM: \(handleWords(left))"
    }

    /// The stricter of the administrator's policy and another.
    func combined(_ policy: TokenPolicy) -> TokenPolicy {
        guard let administrators = device.policy?.policy else { return policy }
        return policy.combined(with: administrators)
    }

    /// Opens the chip, before the file sandbox closes, where the keystore has indices in it or a cut
    /// change left some.
    func openChipInUse() {
        if let folders, KeystoreCondition.indicesInChip(folders) != [] { try? chip.open() }
    }

    func reading() throws(KeystoreError) -> ClockReading {
        try translating(clock)
    }
}

extension KeystoreError {
    /// Files that don't fit each other, as they don't between the writing of one and of the next.
    fileprivate var mayBeOfAChange: Bool {
        switch self {
        case .damaged, .foreign, .deviceKeyMissing, .attemptRecordsLost: true
        default: false
        }
    }
}

/// The two folders of one user, as absolute paths.
struct Place: Equatable, Sendable {
    let dataPath: String
    let statePath: String

    /// One of the two folders is there and the other is missing.
    var isHalfThere: Bool { isSystemPathPresent(dataPath) != isSystemPathPresent(statePath) }
}

extension Place {
    /// The XDG folders; relative values are ignored (FORMAT.md §1).
    ///
    /// - Throws: `AuthenticatorError.noHome`.
    init(
        home: String?, dataHome: String?, stateHome: String?
    ) throws(AuthenticatorError) {
        func folder(_ value: String?, _ fallback: String) throws(AuthenticatorError) -> String {
            if let value, value.hasPrefix("/") { return value + "/softtoken" }
            guard let home, home.hasPrefix("/") else { throw .init(.noHome) }
            return home + fallback
        }
        self.init(
            dataPath: try folder(dataHome, "/.local/share/softtoken"),
            statePath: try folder(stateHome, "/.local/state/softtoken"))
        // Both hold a file called attempts.
        guard dataPath != statePath else { throw .init(.oneFolder) }
    }
}

extension Flow {
    /// The folders that the file sandbox leaves open.
    var folderDescriptors: [Int32] {
        guard let folders else { return [] }
        return [folders.data.descriptor.number, folders.state.descriptor.number]
    }
}
