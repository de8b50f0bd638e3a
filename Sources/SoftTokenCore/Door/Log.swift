// The audit log, read and verified. Bound by CONTRACT §1 (`log`), §3.
import Keystore
import Linux

/// What the audit log says, and whether it is whole.
public struct LogReport: Equatable, Sendable {
    public let entries: [LogEntry]
    /// What is wrong with it, first; nil if it is whole.
    public let flaw: AuthenticatorError?
}

extension Authenticator {
    /// Reads and verifies the audit log; closes the file sandbox.
    ///
    /// - Throws: `rejected` for a log of more than 64 MiB, which is not read; `failed`.
    public func log() throws(AuthenticatorError) -> LogReport {
        try confineFiles()
        do throws(AuthenticatorError) {
            let report = try flow.log()
            return LogReport(
                entries: report.lines,
                flaw: report.flaw.map { AuthenticatorError(.logNotWhole($0)) })
        } catch {
            guard case .keystore(.problem(.tooLong(let path))) = error.cause else { throw error }
            throw AuthenticatorError(
                .rejected, "the audit log is longer than 64 MiB, and is not read",
                hint: "keep a copy of \(path) for your EPCS administrator; leave it in its place, "
                    + "for without it one attempt is left")
        }
    }
}

extension Flow {
    // What isn't whole is looked at once more: another process may be writing it. Not while this one
    // holds the lock, which it would wait for.

    func log() throws(AuthenticatorError) -> AuditReport {
        guard let folders else { return AuditReport(lines: [], flaw: nil) }
        return try inKeystore { () throws(KeystoreError) in
            let report = try AuditLog.read(folders)
            guard report.flaw != nil, KeystoreLock.othersHaveEnded(folders) else { return report }
            return try AuditLog.read(folders)
        }
    }

    /// Whether the log's last entries are as they were written.
    var isLogWhole: Bool {
        guard let folders, !AuditLog.isWholeAtItsEnd(folders) else { return true }
        return KeystoreLock.othersHaveEnded(folders) && AuditLog.isWholeAtItsEnd(folders)
    }
}
