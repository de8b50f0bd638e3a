// `softtoken log`: the audit log, and whether it is whole. Bound by CONTRACT §1, §3.
import ArgumentParser
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
        let report = try authenticating { () throws(AuthenticatorError) in
            try authenticator.log()
        }
        if !verify || json {
            for line in report.lines { try Output.line(json ? line.json : line.row) }
        }
        if report.lines.isEmpty, !verify, !json { Output.note("the audit log is empty") }
        guard verify else { return }
        if let flaw = report.flaw { throw .logNotWhole(flaw) }
        Output.note("the audit log is whole: \(report.lines.count) entries")
    }
}

extension AuditLine {
    fileprivate var row: String {
        let time = UTCTime.text(unixSeconds: unixSeconds)
        let subject = token.map { "  token \($0)" } ?? ""
        return "\(sequence)  \(time)  \(event.rawValue)  \(outcome.rawValue)\(subject)  \(detail)"
    }
}
