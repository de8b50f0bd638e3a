// `reset`, which needs no PIN. Bound by CONTRACT §1 and DESIGN §4.
import Keystore
import Linux

extension Flow {
    /// Destroys the keystore, the device share and the device key.
    ///
    /// What stands in place of a file and is none is removed, too.
    ///
    /// - Returns: what is left in the chip, and why; nil where nothing is.
    /// - Throws: `AuthenticatorError.keystore(.missing)` if there is nothing to destroy; `.problem` for
    ///   a folder that is not empty.
    func reset() throws(AuthenticatorError) -> News? {
        try inKeystore { () throws(KeystoreError) -> News? in
            guard let folders else { throw .missing }
            let lock = try KeystoreLock.take(folders)
            let now = try reading()
            // Judged under the lock, not on what was read before it was held.
            if case .missing? = try? examine(folders) { throw .missing }
            try folders.clearForReset()
            try UsedLinks.recover(folders, tokens: nil)
            // Told before anything is destroyed, too: a reset that is cut near its end leaves nothing
            // that the next command could tell it by.
            try AuditLog.append(
                [AuditEntry(.reset, .ok, detail: "a reset begins")], folders: folders, lock: lock,
                unixSeconds: now.unixSeconds)
            let trouble = try Erasure.reset(
                folders, lock: lock, machineID: device.machineID(), now: now.boot)
            try AuditLog.append(
                [resetEntry(folders)], folders: folders, lock: lock, unixSeconds: now.unixSeconds)
            return trouble.map {
                .leftInTPM(KeystoreCondition.indicesInChip(folders) ?? [], because: $0.reason)
            }
        }
    }

    /// What the log says of a reset that has ended.
    func resetEntry(_ folders: KeystoreFolders) -> AuditEntry {
        AuditEntry(
            .reset, .ok, detail: "the keystore was destroyed" + logWords(leftInChip: folders))
    }
}
