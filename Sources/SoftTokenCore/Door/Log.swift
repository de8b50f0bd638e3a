// The audit log, read and verified. Bound by CONTRACT §1 (`log`), §3.
import Keystore
import Linux

/// What the audit log says, and whether it is whole.
public struct LogReport: Equatable, Sendable {
    public let entries: [LogEntry]
    /// What is wrong with it, first; nil if it is whole.
    public let flaw: AuthenticatorError?
}

/// One entry of the audit log. It never holds a PIN, a seed, an OTP, nor a token's name, issuer,
/// account or serial. CONTRACT §3.
public struct LogEntry: Equatable, Sendable {
    /// Its number, from 1 on.
    public let sequence: UInt64
    /// When, by the device's clock, Unix seconds.
    public let unixSeconds: Int64
    /// `unixSeconds` in RFC 3339, UTC.
    public let time: String
    /// activate, attest, unlock, otp, rename, remove, pin, delay, erase, reset, refuse, device,
    /// issuer, clock or tamper.
    public let event: String
    /// ok, rejected, refused or failed.
    public let outcome: String
    /// The ``Token/id`` that it is about; nil for none.
    public let tokenID: String?
    /// What else there is to say: printable ASCII.
    public let detail: String
    /// The entry as one line of JSON, as it is on disk but for its MAC.
    public let json: String

    init(_ line: AuditLine) {
        sequence = line.sequence
        unixSeconds = line.unixSeconds
        time = UTCTime.text(unixSeconds: line.unixSeconds)
        event = line.event.rawValue
        outcome = line.outcome.rawValue
        tokenID = line.token
        detail = line.detail
        json = line.json
    }
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
                entries: report.lines.map(LogEntry.init),
                flaw: report.flaw.map { AuthenticatorError(.logNotWhole($0)) })
        } catch {
            guard case .keystore(.problem(.tooLong(let path))) = error.cause else { throw error }
            throw AuthenticatorError(
                .rejected, "the audit log is longer than 64 MiB, and is not read",
                hint: "move \(path) aside for your EPCS administrator; a new log begins")
        }
    }
}

extension Flow {
    func log() throws(AuthenticatorError) -> AuditReport {
        guard let folders else { return AuditReport(lines: [], flaw: nil) }
        return try inKeystore { () throws(KeystoreError) in try AuditLog.read(folders) }
    }
}
