// One use of the keystore: unlocked by a right PIN, under the lock, until it is written back. The
// lock is let go before a person is asked anything. Bound by DESIGN §1.3, §1.8, §4.
import Keystore
import Linux

/// An unlocked keystore in use. Dropped, its keys are zeroized.
struct Session: ~Copyable {
    var keystore: UnlockedKeystore
    var lock: KeystoreLock?
    let folders: KeystoreFolders
    /// Somebody put an older keystore back.
    let wasPutBack: Bool
    /// The generation of the used links that the keystore on the disk names.
    var usedLinks: UInt64 = 0
    /// What is to be logged with the next entry.
    var notes: [AuditEntry] = []

    var tokens: [Token] { keystore.tokens.map(Token.init) }
    var issuers: [TrustedIssuer] { keystore.issuers }
}

extension Flow {
    /// Tries a PIN: the one thing that spends an attempt.
    ///
    /// - Throws: `AuthenticatorError.sameDevice` if the device was registered for prescribing while
    ///   the PIN was typed, `.configurationChanged` if the administrator changed a file then;
    ///   `.keystore` with `.changed` if the checks would judge the keystore otherwise now, `.wrongPIN`, `.erasedNow`, `.delayed`, `.busy`,
    ///   `.missing`, or what keeps it from being opened.
    func unlock(
        _ pin: borrowing PINDigits, _ checks: PassedChecks
    ) throws(AuthenticatorError) -> Session {
        guard let folders else { throw .keystore(.missing) }
        let lock = try inKeystore(try KeystoreLock.take(folders))
        // Under the lock: the wait for it may have been long.
        try refuseMeanwhile(folders, lock)
        return try inKeystore(try unlocked(pin, checks, folders: folders, lock: lock))
    }

    /// Tries a PIN for a use that makes an OTP. What was attested and confirmed is kept now: whoever
    /// does not know the PIN can't say it for the prescriber.
    func unlock(
        _ pin: borrowing PINDigits, _ clearance: borrowing SeparationClearance
    ) throws(AuthenticatorError) -> Session {
        var session = try unlock(pin, clearance.checks)
        try inKeystore { () throws(KeystoreError) in
            do throws(KeystoreError) { try keep(clearance, &session, try hold(&session)) } catch {
                // The PIN was right: what can't be kept costs no attempt.
                try? resetAttempts(&session)
                throw error
            }
        }
        return session
    }

    private func unlocked(
        _ pin: borrowing PINDigits, _ checks: PassedChecks, folders: KeystoreFolders,
        lock: KeystoreLock
    ) throws(KeystoreError) -> Session {
        let condition = try examine(folders, under: lock)
        switch consume condition {
        case .missing: throw .missing
        case .erased(let time): throw erased(time, folders)
        case .attemptRecordsLost: throw .attemptRecordsLost
        case .erasing:
            try erase(folders, lock)
            return try unlocked(pin, checks, folders: folders, lock: lock)
        case .locked(let keystore):
            guard try areJudgedAlike(keystore, checks) else { throw .changed }
            let wasPutBack = keystore.isPutBack
            // That head or log is missing the next entry tells without this.
            let isRecordAltered = keystore.attempts.isRecordAltered
            let unlocked = try tried(keystore, pin, folders: folders, lock: lock)
            var session = Session(
                keystore: unlocked, lock: lock, folders: folders, wasPutBack: wasPutBack)
            try recoverUsedLinks(&session)
            keepSeenPolicy(&session, lock)
            if wasPutBack {
                session.notes.append(
                    AuditEntry(
                        .tamper, .failed, detail: "an older keystore or attempt record was put back"
                    ))
            }
            if isRecordAltered {
                session.notes.append(
                    AuditEntry(
                        .tamper, .failed,
                        detail: "an attempt record was missing, altered or put back"))
            }
            return session
        }
    }

    /// Tries the PIN and logs a wrong one. That an attempt was counted stands in the log's head before
    /// the PIN is tried: what keeps it from there keeps the PIN from being tried.
    private func tried(
        _ keystore: consuming LockedKeystore, _ pin: borrowing PINDigits,
        folders: KeystoreFolders, lock: KeystoreLock
    ) throws(KeystoreError) -> UnlockedKeystore {
        try AuditLog.checkWritable(folders, for: .attempt)
        let limit = combined(keystore.publicSection).attemptLimit
        do throws(KeystoreError) {
            return try keystore.unlock(
                pin, folders: folders, lock: lock, policyLimit: limit, clock: clock
            ) { (counted) throws(KeystoreError) in
                try AuditLog.append(
                    [], folders: folders, lock: lock, unixSeconds: try reading().unixSeconds,
                    vouched: counted, isBeforeTry: true)
            }
        } catch {
            switch error {
            case .wrongPIN(let left, _):
                note(wrongPIN(attemptsLeft: left), folders, lock)
            case .closedByChip:
                note(
                    AuditEntry(
                        .tamper, .failed,
                        detail: "the TPM counted more wrong PINs than the attempt records: they "
                            + "were put back"),
                    folders, lock)
                try erase(folders, lock)
            case .erasedNow:
                note(wrongPIN(attemptsLeft: 0), folders, lock)
                try erase(folders, lock)
            default: AuditLog.giveBack(folders)
            }
            throw error
        }
    }

    private func wrongPIN(attemptsLeft: Int) -> AuditEntry {
        AuditEntry(.unlock, .rejected, detail: "a wrong PIN, attempts left: \(attemptsLeft)")
    }

    private func note(_ entry: AuditEntry, _ folders: KeystoreFolders, _ lock: KeystoreLock) {
        guard let now = try? reading().unixSeconds else { return }
        try? AuditLog.append([entry], folders: folders, lock: lock, unixSeconds: now)
    }

    /// Lets go of the lock before a person is asked: the count is reset first.
    func release(_ session: inout Session) throws(AuthenticatorError) {
        guard session.lock != nil else { return }
        try inKeystore(try resetAttempts(&session))
        session.lock = nil
    }

    /// The lock: the one held since the PIN was tried, or a new one, with what others have written
    /// meanwhile.
    func hold(_ session: inout Session) throws(KeystoreError) -> KeystoreLock {
        if let lock = session.lock { return lock }
        let lock = try KeystoreLock.take(session.folders)
        session.lock = lock
        try session.keystore.refresh(
            session.folders, machineID: device.machineID(),
            vouched: try AuditLog.vouched(session.folders))
        try recoverUsedLinks(&session)
        return lock
    }

    /// Appends entries; the log's head then vouches for what is on the disk.
    func append(
        _ entries: [AuditEntry], _ session: inout Session, _ lock: KeystoreLock
    ) throws(KeystoreError) {
        var vouched = session.keystore.vouched
        vouched.usedLinks = session.usedLinks
        try AuditLog.append(
            entries, folders: session.folders, lock: lock,
            unixSeconds: try reading().unixSeconds, vouched: vouched)
    }

    /// Changes the keystore, writes it, resets the count, logs the change and lets go.
    func change(
        _ session: inout Session, logging entry: AuditEntry,
        _ body: (inout UnlockedKeystore) throws(KeystoreError) -> Void
    ) throws(AuthenticatorError) {
        try changing(&session) { (session, lock) throws(KeystoreError) in
            try body(&session.keystore)
            try save(&session, lock)
            return [entry]
        }
    }

    /// Carries out a change whose body writes the keystore by itself. The log is looked at first:
    /// what can't be logged is not done.
    func changing(
        _ session: inout Session,
        _ body: (inout Session, KeystoreLock) throws(KeystoreError) -> [AuditEntry]
    ) throws(AuthenticatorError) {
        try use(&session) { (session, lock) throws(KeystoreError) in
            try AuditLog.checkWritable(session.folders, for: .change)
            do throws(KeystoreError) { return try body(&session, lock) } catch {
                AuditLog.giveBack(session.folders)
                throw error
            }
        }
    }

    /// Ends a use that only read.
    func endUse(_ session: inout Session) throws(AuthenticatorError) {
        try use(&session) { (_, _) throws(KeystoreError) in [] }
    }

    /// Carries a use out, resets the count, logs what it was for and lets go.
    ///
    /// The count is reset even when the use fails: the PIN was right.
    func use(
        _ session: inout Session,
        _ body: (inout Session, KeystoreLock) throws(KeystoreError) -> [AuditEntry]
    ) throws(AuthenticatorError) {
        try inKeystore { () throws(KeystoreError) in
            let lock = try hold(&session)
            defer { session.lock = nil }
            let entries: [AuditEntry]
            do throws(KeystoreError) { entries = try body(&session, lock) } catch {
                try? resetAttempts(&session)
                try? appendNoting(error.refusal, &session, lock)
                throw error
            }
            try resetAttempts(&session)
            try appendNoting(entries, &session, lock)
        }
    }

    func save(_ session: inout Session, _ lock: KeystoreLock) throws(KeystoreError) {
        try session.keystore.save(session.folders, lock: lock)
    }

    func resetAttempts(_ session: inout Session) throws(KeystoreError) {
        let limit = combined(session.keystore.publicSection).attemptLimit
        try session.keystore.resetAttempts(
            session.folders, policyLimit: limit, now: try reading().boot)
    }

    /// Logs what was found before, whatever becomes of the use itself, and the entries.
    private func appendNoting(
        _ entries: [AuditEntry], _ session: inout Session, _ lock: KeystoreLock
    ) throws(KeystoreError) {
        let all = session.notes + entries
        session.notes = []
        guard !all.isEmpty else { return }
        try append(all, &session, lock)
    }
}

extension KeystoreError {
    /// What the log says where a right PIN was refused its OTP.
    fileprivate var refusal: [AuditEntry] {
        guard case .counterUnknown = self else { return [] }
        return [AuditEntry(.otp, .refused, detail: "an older keystore's HOTP counter")]
    }
}
