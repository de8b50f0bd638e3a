// `softtoken log`: the audit log, and whether it is whole. Bound by CONTRACT §1, §3.
import ArgumentParser
import Keystore
import Linux
import SoftTokenCore

struct LogCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Show the audit log.")
    @Flag(help: "Print JSON, an entry a line.") var json = false
    @Flag(help: "Check every entry; exit with 65 if the log is not whole.") var verify = false
    @OptionGroup var common: CommonOptions

    func execute(_ context: inout Context) throws(Failure) {
        let authenticator = try context.authenticator()
        try confine(authenticator)
        let report = try report(authenticator)
        if !verify || json {
            for line in report.lines { try Output.line(json ? line.json : line.row) }
        }
        if report.lines.isEmpty, !verify, !json { Output.note("the audit log is empty") }
        if let flaw = report.flaw, !verify {
            Output.warning("the audit log is not whole: \(flaw.words)")
        }
        guard verify else { return }
        if let flaw = report.flaw { throw .logNotWhole(flaw) }
        Output.note("the audit log is whole: \(report.lines.count) entries")
    }

    private func report(_ authenticator: borrowing Authenticator) throws(Failure) -> AuditReport {
        do throws(AuthenticatorError) { return try authenticator.log() } catch {
            guard case .keystore(.problem(.tooLong(let path))) = error else {
                throw .authenticator(error)
            }
            throw .rejectedInput(
                "the audit log is longer than 64 MiB, and is not read",
                hint: "move \(path) aside for your EPCS administrator; a new log begins")
        }
    }
}

extension AuditLine {
    fileprivate var row: String {
        let time = UTCTime.text(unixSeconds: unixSeconds)
        let subject = token.map { "  token \($0)" } ?? ""
        return "\(sequence)  \(time)  \(event.rawValue)  \(outcome.rawValue)\(subject)  \(detail)"
    }
}
