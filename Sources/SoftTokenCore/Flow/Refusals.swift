// What the audit log says of a refusal, and of damage that was found. Bound by CONTRACT §3 (`log`).
import Device
import Keystore
import Linux

extension Flow {
    /// Logs the refusal that a step ends with.
    func loggingRefusal<R: ~Copyable>(
        _ facts: KeystoreFacts, _ step: @autoclosure () throws(AuthenticatorError) -> R
    ) throws(AuthenticatorError) -> R {
        do throws(AuthenticatorError) { return try step() } catch {
            logRefusal(error, facts: facts)
            throw error
        }
    }

    /// Logs that something was refused. A refusal keeps its own code when the entry can't be
    /// written; a foreign keystore's folders are left as they are.
    func logRefusal(_ error: AuthenticatorError, facts: KeystoreFacts) {
        guard let entry = error.entry, facts.state != .foreign || error.isSameDevice,
            facts.state != .refused
        else { return }
        logOnce(entry)
    }

    /// Logs what needs no PIN, so that anybody can bring it about as often as he likes: once a day, and
    /// again after anything else has happened. So nobody fills the log with it.
    func logOnce(_ entry: AuditEntry) {
        guard let now = try? reading().unixSeconds else { return }
        if let folders, AuditLog.hasTold(entry, folders, unixSeconds: now) { return }
        try? logged([entry])
    }

    /// Appends entries under the lock, making the folders where they are missing.
    func logged(_ entries: [AuditEntry]) throws(KeystoreError) {
        let folders = try openOrCreateFolders()
        let lock = try KeystoreLock.take(folders)
        try AuditLog.append(
            entries, folders: folders, lock: lock, unixSeconds: try reading().unixSeconds)
    }
}

extension AuthenticatorError {
    /// What the log says of a refusal; nil for what is none.
    var entry: AuditEntry? {
        damageDetail.map { AuditEntry(.tamper, .failed, detail: $0) }
            ?? refusalDetail.map { AuditEntry(isDelay ? .delay : .refuse, .refused, detail: $0) }
    }

    /// The words for what was destroyed, by whomever.
    private var damageDetail: String? {
        switch cause {
        case .keystore(.attemptRecordsLost): "both attempt records are missing or altered"
        case .keystore(.damaged(.keystore)): "the keystore is damaged"
        case .keystore(.damaged(.deviceKey)): "the device key is damaged"
        case .keystore(.foreignChip): "the TPM does not hold this keystore's share"
        case .keystore(.damaged(.deviceShare)): "the device share is missing or damaged"
        default: nil
        }
    }

    fileprivate var isDelay: Bool {
        if case .keystore(.delayed) = cause { true } else { false }
    }

    fileprivate var isSameDevice: Bool {
        if case .sameDevice = cause { true } else { false }
    }

    fileprivate var refusalDetail: String? {
        switch cause {
        case .sameDevice(let evidence):
            "this is the prescribing device: \(evidence.names.joined(separator: " "))"
        case .remoteLogin: "remote login"
        case .loginNotTold: "a login that can't be told"
        case .policyNotTold: "an older keystore where the administrator's policy can't be told"
        case .separationNotVerified(let reason): "separation not verified: \(reason.name)"
        case .attestationMissing(let reason): "attestation missing: \(reason.name)"
        case .attestationDenied: "the prescriber did not attest that this is another device"
        case .clockUnconfirmed, .clockContradicted: "the clock can't be right"
        case .unsignedLink: "an unsigned link"
        case .untrustedIssuer: "an untrusted issuer"
        case .linkExpired: "an expired link"
        case .linkUsed: "a used link"
        case .keystore(.delayed): "a delay is in force"
        default: nil
        }
    }
}
