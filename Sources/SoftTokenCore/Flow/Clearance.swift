// The separation verdict as a type: without `PassedChecks` (Checks.swift) no PIN is asked for and no
// keystore unlocked, without a clearance no OTP is made. What was attested and confirmed is written
// down once the PIN is right. Bound by DESIGN §1.6, §6, §7 (clock).
import Device
import Keystore
import Linux

/// This device is separate, or its prescriber attested that it is: an OTP may be made.
///
/// Only `Flow.clearance` makes one, after its checks; it can't be copied, kept or written down,
/// so that each use is checked anew. 21 CFR 1311.115(b).
struct SeparationClearance: ~Copyable {
    /// What it was given for.
    let checks: PassedChecks
    /// When the prescriber attested just now, Unix seconds: kept after the right PIN.
    let attestedUnixSeconds: Int64?
    /// A stable word for what was attested in spite of.
    let reasonName: String
    /// Date and time were confirmed just now.
    let isClockConfirmed: Bool
    /// An attestation that stands is not needed any more; it is asked for anew when it is.
    let isAttestationObsolete: Bool
}

/// What a person answered to the questions of `PassedChecks`.
struct PersonalAnswers: Sendable {
    var isAttested = false
    var isClockConfirmed = false
}

extension Flow {
    /// Turns the checks into a clearance for OTPs.
    ///
    /// - Throws: `AuthenticatorError.attestationDenied`, `.clockUnconfirmed`.
    func clearance(
        _ checks: PassedChecks, _ answers: PersonalAnswers = PersonalAnswers()
    ) throws(AuthenticatorError) -> SeparationClearance {
        try loggingRefusal(checks.facts, try check(answers, to: checks))
        let isAttestedNow = checks.attestationReason != nil || checks.isAttestedByOption
        return SeparationClearance(
            checks: checks,
            attestedUnixSeconds: isAttestedNow ? try now().unixSeconds : nil,
            reasonName: checks.verdict.reasonName,
            isClockConfirmed: checks.clockDoubt != nil || checks.isClockConfirmedByOption,
            isAttestationObsolete: checks.verdict == .separate
                && checks.facts.attestedUnixSeconds != nil)
    }

    private func check(
        _ answers: PersonalAnswers, to checks: PassedChecks
    ) throws(AuthenticatorError) {
        if checks.attestationReason != nil, !answers.isAttested { throw .init(.attestationDenied) }
        if let doubt = checks.clockDoubt, !answers.isClockConfirmed {
            throw .init(.clockUnconfirmed(doubt))
        }
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
        try append(entries, &session, lock)
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
