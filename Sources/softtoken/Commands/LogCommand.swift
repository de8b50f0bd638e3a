// `softtoken log`: the audit log, and whether it is whole. Bound by CONTRACT §1, §3.
import ArgumentParser
import Linux
import ProgramSupport
import SoftTokenCore

struct LogCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Show the audit log.")
    @Flag(help: "Print JSON, an entry a line.") var json = false
    @Flag(help: "Check every entry; exit with 65 if the log is not whole.") var verify = false
    @OptionGroup var common: CommonOptions

    func execute(_ context: inout Context) throws(AuthenticatorError) {
        let report = try context.authenticator().log()
        if !verify || json {
            for entry in report.entries { try output.line(json ? entry.json : entry.row) }
        }
        if report.entries.isEmpty, !verify, !json { output.note("the audit log is empty") }
        if let flaw = report.flaw, !verify { output.warning(flaw.message ?? "") }
        guard verify else { return }
        if let flaw = report.flaw { throw flaw }
        output.note("the audit log is whole: \(report.entries.count) entries")
    }
}

extension LogEntry {
    fileprivate var row: String {
        let subject = tokenID.map { "  token \($0)" } ?? ""
        return "\(sequence)  \(time)  \(event)  \(outcome)\(subject)  \(detail)"
    }
}
