// What else a right PIN allows: rename, remove, a new PIN, prescribing records, trusted issuers; and
// reset, which needs none. Each change is written whole and logged. Bound by CONTRACT §1.
import Device
import Keystore
import Linux

extension Flow {
    /// Ends a use that only read.
    func endUse(_ session: inout Session) throws(AuthenticatorError) {
        try use(&session) { (_, _) throws(KeystoreError) in [] }
    }

    /// - Throws: `AuthenticatorError.keystore(.nameTaken)`.
    func rename(
        _ session: inout Session, _ token: Token, to name: String
    ) throws(AuthenticatorError) {
        try change(&session) { (session, _) throws(KeystoreError) in
            try session.keystore.rename(token.metadata.id, to: name)
            return [AuditEntry(.rename, .ok, tokenID: token.metadata.id, detail: "renamed")]
        }
    }

    func remove(_ session: inout Session, _ token: Token) throws(AuthenticatorError) {
        try change(&session) { (session, _) throws(KeystoreError) in
            try session.keystore.remove(token.metadata.id)
            return [AuditEntry(.remove, .ok, tokenID: token.metadata.id, detail: "removed")]
        }
    }

    /// Sets a new PIN.
    ///
    /// - Throws: `AuthenticatorError.easyPIN`; the old PIN then stays.
    func setPIN(
        _ session: inout Session, _ pin: borrowing PINDigits
    ) throws(AuthenticatorError) {
        guard !pin.isEasyToGuess else { throw .init(.easyPIN) }
        try change(&session) { (session, _) throws(KeystoreError) in
            try session.keystore.setPIN(pin)
            return [AuditEntry(.pin, .ok, detail: "changed")]
        }
    }

    /// Keeps the record of a prescribing device; one that matches this device is refused.
    ///
    /// - Throws: `AuthenticatorError.recordOfThisDevice`.
    func forbid(
        _ session: inout Session, _ record: PrescribingRecord
    ) throws(AuthenticatorError) {
        try change(&session) { (session, _) throws(KeystoreError) in
            try session.keystore.add(prescribingRecord: record.text)
            return [AuditEntry(.device, .ok, detail: "a prescribing record was added")]
        }
    }

    /// Checks, before a PIN is asked for, that a record is not this device's own.
    func checkIsAnotherDevice(
        _ record: PrescribingRecord
    ) throws(AuthenticatorError) {
        let verdict = try device.verdict(records: [record], marker: .absent)
        guard case .same(let evidence) = verdict else { return }
        try? logged([
            AuditEntry(.device, .refused, detail: "the record to be forbidden is this device's")
        ])
        throw .init(.recordOfThisDevice(evidence))
    }

    func trust(
        _ session: inout Session, _ issuer: TrustedIssuer
    ) throws(AuthenticatorError) {
        try change(&session) { (session, _) throws(KeystoreError) in
            try session.keystore.trust(issuer)
            return [AuditEntry(.issuer, .ok, detail: "a signing key was added")]
        }
    }

    /// - Returns: whether that key was trusted.
    func distrust(
        _ session: inout Session, _ issuer: TrustedIssuer
    ) throws(AuthenticatorError) {
        try change(&session) { (session, _) throws(KeystoreError) in
            _ = session.keystore.distrust(issuer.key)
            return [AuditEntry(.issuer, .ok, detail: "a signing key was removed")]
        }
    }

    /// Destroys the keystore, the device share and the device key.
    ///
    /// What stands in place of a file and is none is removed, too.
    ///
    /// - Throws: `AuthenticatorError.keystore(.missing)` if there is nothing to destroy; `.problem` for
    ///   a folder that is not empty.
    func reset() throws(AuthenticatorError) {
        try inKeystore { () throws(KeystoreError) in
            guard let folders else { throw .missing }
            let lock = try KeystoreLock.take(folders)
            let now = try reading()
            // Judged under the lock, not on what was read before it was held.
            if case .missing? = try? examine(folders) { throw .missing }
            try folders.clearForReset()
            try UsedLinks.recover(folders, tokens: nil)
            try Erasure.reset(
                folders, lock: lock, machineID: device.machineID, now: now.boot)
            try AuditLog.append(
                [AuditEntry(.reset, .ok, detail: "the keystore was destroyed")],
                folders: folders, lock: lock, unixSeconds: now.unixSeconds)
        }
    }
}
