// Everything that needs no PIN, in one value. Bound by CONTRACT §3 (`status`) and DESIGN §9: what is
// weak is said plainly.
internal import Activation
package import Device
package import Keystore
package import Linux

package struct StatusReport: Equatable, Sendable {
    package let facts: KeystoreFacts
    package let retryAtUnixSeconds: Int64?
    package let verdict: SeparationVerdict
    package let isRemote: Bool?
    package let isClockSynchronized: Bool?
    package let isMemoryLocked: Bool
    /// Whether the audit log fits its head; `log --verify` looks closer.
    package let isLogWhole: Bool
    package let policy: TokenPolicy

    /// What a thief would have to do, in a sentence.
    package var protection: String {
        guard facts.isOpenable else { return "there is no keystore that a PIN opens" }
        let home =
            if facts.isBoundToStorage {
                "a copied home folder needs this machine's id and what names its disk, which any "
                    + "program here can read"
            } else if facts.isBoundToMachine {
                "a copied home folder needs this machine's id alone, which file names in it may tell"
            } else {
                "a copied home folder is enough, because this machine had no machine-id when the "
                    + "keystore was made"
            }
        return "a copied keystore file opens for no PIN; \(home); with that, or with the whole "
            + "disk, all 10,000 PINs can be tried at Argon2id's price, and putting all files back "
            + "together is not noticed without a TPM"
    }
}

extension Authenticator {
    /// Reads the status.
    package func status() throws(AuthenticatorError) -> StatusReport {
        let facts = try facts()
        let now = try now()
        return StatusReport(
            facts: facts,
            retryAtUnixSeconds: facts.state == .delayed
                ? now.unixSeconds + Int64(facts.delaySeconds) : nil,
            verdict: try verdict(facts), isRemote: surroundings.isRemote,
            isClockSynchronized: now.isSynchronized,
            isMemoryLocked: SecureBytes.isLockingAvailable(),
            isLogWhole: folders.map { AuditLog.isWholeAtItsEnd($0) } ?? true,
            policy: combined(facts.policy))
    }

    /// Reads and verifies the audit log.
    package func log() throws(AuthenticatorError) -> AuditReport {
        guard let folders else { return AuditReport(lines: [], flaw: nil) }
        return try inKeystore { () throws(KeystoreError) in try AuditLog.read(folders) }
    }
}

extension Authenticator {
    /// The status of folders that can't be read at all: of wrong owner or mode.
    package static func refusedStatus(
        _ problem: FileProblem, sshConnection: String?
    ) throws(AuthenticatorError) -> StatusReport {
        let surroundings = try Surroundings.read(sshConnection: sshConnection)
        let facts = KeystoreFacts(.problem(problem))
        let verdict = separationVerdict(
            of: surroundings.identity, records: [], marker: surroundings.marker,
            environment: surroundings.environment)
        return StatusReport(
            facts: facts, retryAtUnixSeconds: nil, verdict: verdict,
            isRemote: surroundings.isRemote,
            isClockSynchronized: try fromSystem(ClockReading.now).isSynchronized,
            isMemoryLocked: SecureBytes.isLockingAvailable(), isLogWhole: true,
            policy: surroundings.policy?.policy ?? TokenPolicy())
    }

    /// How long a display of a token may last, seconds: the stricter of all policies, and no longer
    /// than the token does.
    package func sessionSeconds(
        _ session: borrowing Session, of token: Token
    ) throws(AuthenticatorError) -> Int {
        let limit = combined(session.policy).sessionLimitSeconds
        guard let expires = token.record.expiresUnixSeconds else { return limit }
        return min(limit, Int(clamping: max(1, expires - (try now().unixSeconds))))
    }
}
