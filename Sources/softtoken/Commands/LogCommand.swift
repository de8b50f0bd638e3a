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
    @Flag(help: "Ask for the PIN, and tell the tokens by their names.") var names = false
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if names, json || verify {
            throw ValidationError("--names is for people: leave out --json and --verify")
        }
    }

    func execute(_ context: inout Context) throws(AuthenticatorError) {
        let authenticator = try context.authenticator()
        var named: [String: String] = [:]
        if names {
            let console = try Console(pinDescriptor: common.pinDescriptor)
            for token in try authenticator.unlock(asking: console).tokens {
                named[token.id] = token.name
            }
        }
        let report = try authenticator.log()
        if json {
            for entry in report.entries { try output.line(entry.json) }
        } else if !verify {
            try output.lines(rows(report.entries, names: named))
        }
        if report.entries.isEmpty, !verify, !json { output.note("the audit log is empty") }
        if let flaw = report.flaw, !verify { output.warning(flaw.message ?? "") }
        guard verify else { return }
        if let flaw = report.flaw { throw flaw }
        output.note("the audit log is whole: \(report.entries.count) entries")
    }
}

/// The entries' lines: at a terminal in local time, and broken to its window.
private func rows(_ entries: [LogEntry], names: [String: String]) -> [String] {
    guard let columns = terminalColumns(1) else {
        return entries.map { $0.row(time: $0.time, names: names) }
    }
    return entries.flatMap { entry in
        let time = LocalTime(atUnixSeconds: entry.unixSeconds)
        let row = entry.row(time: "\(time.date) \(time.withSeconds)", names: names)
        return wrapped(row, columns: columns - 1, hanging: 4)
    }
}

extension LogEntry {
    fileprivate func row(time: String, names: [String: String]) -> String {
        let subject = tokenID.map { "  " + (names[$0] ?? "token \($0)") } ?? ""
        return "\(sequence)  \(time)  \(event.rawValue)  \(outcome.rawValue)\(subject)  \(detail)"
    }
}
