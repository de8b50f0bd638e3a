// From the answers to the types that open doors: an attestation and a confirmed clock are recorded
// once the PIN is right, before an OTP is made. Bound by DESIGN §6 (attestation), §7 (clock).
import Device
import Keystore
import Linux

/// What a person answered to the questions of an `Entry`.
struct PersonalAnswers: Sendable {
    var isAttested = false
    var isClockConfirmed = false

    init() {}
}

extension Flow {
    /// Turns a checked entry into a clearance for OTPs.
    ///
    /// - Throws: `AuthenticatorError.attestationDenied`, `.clockUnconfirmed`.
    func clear(
        _ entry: Entry, _ answers: PersonalAnswers = PersonalAnswers()
    ) throws(AuthenticatorError) -> SeparationClearance {
        do throws(AuthenticatorError) {
            if entry.attestationReason != nil, !answers.isAttested {
                throw .init(.attestationDenied)
            }
            if let doubt = entry.clockDoubt, !answers.isClockConfirmed {
                throw .clockUnconfirmed(doubt)
            }
        } catch {
            record(refusal: error, facts: entry.facts)
            throw error
        }
        let isAttestedNow = entry.attestationReason != nil || entry.isAttestedByOption
        return SeparationClearance(
            attestedUnixSeconds: isAttestedNow ? try now().unixSeconds : nil,
            reasonName: entry.verdict.reasonName,
            isClockConfirmed: entry.clockDoubt != nil || entry.isClockConfirmedByOption,
            isAttestationObsolete: entry.verdict == .separate
                && entry.facts.attestedUnixSeconds != nil)
    }

    /// Writes down what was attested and confirmed, under the lock and after the right PIN.
    func keep(
        _ clearance: borrowing SeparationClearance, _ session: inout Session, _ lock: KeystoreLock
    ) throws(KeystoreError) {
        if let seconds = clearance.attestedUnixSeconds {
            try session.keystore.keepAttestation(session.folders, unixSeconds: seconds)
        }
        if clearance.isAttestationObsolete { try Attestation.remove(session.folders) }
        let entries = clearance.entries
        guard !entries.isEmpty else { return }
        try AuditLog.append(
            entries, folders: session.folders, lock: lock, unixSeconds: try reading().unixSeconds,
            vouched: session.keystore.vouched)
    }

    /// Records that something was refused. A refusal keeps its own code when the entry can't be
    /// written; a foreign keystore's folders are left as they are.
    func record(refusal error: AuthenticatorError, facts: KeystoreFacts) {
        guard let entry = error.entry, facts.state != .foreign || error.isSameDevice,
            facts.state != .refused
        else { return }
        // What stays damaged is told once, and again after anything else has happened.
        if entry.event == .tamper, let folders, AuditLog.endsWith(entry, folders) { return }
        try? logged([entry])
    }

    /// Appends entries under the lock, making the folders where they are missing.
    func logged(_ entries: [AuditEntry]) throws(KeystoreError) {
        let folders = try foldersForLog()
        let lock = try KeystoreLock.take(folders)
        try AuditLog.append(
            entries, folders: folders, lock: lock, unixSeconds: try reading().unixSeconds)
    }
}

extension Flow {
    private func foldersForLog() throws(KeystoreError) -> KeystoreFolders {
        if let folders { return folders }
        return try openOrCreateFolders()
    }
}

extension SeparationClearance {
    /// What the log says of it.
    var entries: [AuditEntry] {
        var entries: [AuditEntry] = []
        if isClockConfirmed {
            entries.append(
                AuditEntry(.clock, .ok, detail: "the prescriber confirmed date and time"))
        }
        if attestedUnixSeconds != nil { entries.append(.attested(reasonName)) }
        return entries
    }
}

extension AuditEntry {
    static func attested(_ reason: String) -> AuditEntry {
        AuditEntry(
            .attest, .ok,
            detail: "the prescriber attested that this is not the prescribing device (\(reason))")
    }
}

extension SeparationVerdict {
    /// A stable word for the log.
    var reasonName: String {
        if case .unverified(let reason) = self { reason.name } else { name }
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

    /// The words for what was refused.
    fileprivate var refusalDetail: String? {
        switch cause {
        case .sameDevice(let evidence):
            "this is the prescribing device: \(evidence.names.joined(separator: " "))"
        case .remoteLogin: "remote login"
        case .separationNotVerified(let reason): "separation not verified: \(reason.name)"
        case .attestationMissing(let reason): "attestation missing: \(reason.name)"
        case .attestationDenied: "the prescriber did not attest that this is another device"
        case .clockUnconfirmed, .clockContradicted: "the clock can't be right"
        case .unsignedLink: "an unsigned link"
        case .untrustedIssuer: "an untrusted issuer"
        case .linkExpired: "an expired link"
        case .linkUsed: "a used link"
        case .keystore(.delayed(let seconds)): "a delay of \(seconds) s is in force"
        default: nil
        }
    }
}
