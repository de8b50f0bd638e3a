// `softtoken list`: the tokens of this device, in columns or as JSON. Bound by CONTRACT §1, §3.
import ArgumentParser
import Linux
import ProgramSupport
import SoftTokenCore

struct ListCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the tokens of this device.")
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var common: CommonOptions

    func execute(_ context: inout Context) throws(AuthenticatorError) {
        let authenticator = try context.authenticator()
        let console = try Console(pinDescriptor: common.pinDescriptor)
        let tokens = try authenticator.unlock(asking: console).tokens
        let now = try currentSeconds()
        if json {
            return try output.json(["tokens": .array(tokens.map { $0.json(now: now) })])
        }
        if tokens.isEmpty {
            output.note("there are no tokens: activate one with softtoken activate")
        }
        guard let columns = terminalColumns(1) else {
            return try output.lines(tokens.lines(now: now))
        }
        try output.lines(tokens.shown(now: now, columns: columns - 1))
    }
}

extension [Token] {
    /// For people: a table, and under a token what there is to know of it.
    fileprivate func shown(now: Int64, columns: Int) -> [String] {
        guard !isEmpty else { return [] }
        let heading = ["NAME", "STATE", "TYPE", "ISSUER", "ACCOUNT", "SERIAL"]
        var parts = table(map { $0.row(now: now) }, heading: heading, columns: columns)
        if parts[0].isEmpty, allSatisfy(\.isNamedAsSuggested) {
            // The name says the issuer and the account.
            parts = table(
                map { $0.shortRow(now: now) }, heading: ["NAME", "STATE", "TYPE", "SERIAL"],
                columns: columns)
        }
        return parts[0]
            + zip(parts.dropFirst(), self).flatMap { lines, token in
                lines
                    + token.remarks(now: now).flatMap {
                        wrapped("  " + $0, columns: columns, hanging: 4)
                    }
            }
    }

    /// For scripts: a line a token.
    fileprivate func lines(now: Int64) -> [String] {
        zip(aligned(map { $0.row(now: now) }), self).map { row, token in
            ([row] + token.remarks(now: now)).joined(separator: "  ")
        }
    }
}

extension Token {
    fileprivate func row(now: Int64) -> [String] {
        [
            name, state(atUnixSeconds: now).rawValue, kind.name, issuer ?? "-", account ?? "-",
            serial ?? "-",
        ]
    }

    /// Where the name says issuer and account.
    fileprivate func shortRow(now: Int64) -> [String] {
        [name, state(atUnixSeconds: now).rawValue, kind.name, serial ?? "-"]
    }

    fileprivate var isNamedAsSuggested: Bool {
        name == [issuer, account].compactMap(\.self).joined(separator: " ")
    }

    fileprivate func remarks(now: Int64) -> [String] {
        let pending = pendingUntil(atUnixSeconds: now).map {
            "may not be accepted before \(clockText($0, now: now))"
        }
        return [pending].compactMap(\.self) + warnings.map(\.words)
    }

    /// CONTRACT §3 (`list`).
    fileprivate func json(now: Int64) -> JSON {
        var period: Int?
        var counter: Int64?
        switch kind {
        case .totp(let stepSeconds): period = stepSeconds
        case .hotp(let next): counter = next.map { Int64($0) }
        }
        return [
            "id": .text(id), "name": .text(name), "issuer": .text(issuer),
            "account": .text(account), "serial": .text(serial), "type": .text(kind.name),
            "algorithm": .text(algorithm.rawValue), "digits": .number(digits),
            "period": .number(period),
            "counter": .number(counter), "state": .text(state(atUnixSeconds: now).rawValue),
            "origin": isFromSignedLink ? "signed" : "unsigned",
            "warnings": .array(warnings.map { .text($0.words) }),
            "activatedAt": .number(activatedAtUnixSeconds),
            "pendingUntil": .number(pendingUntilUnixSeconds),
            "expiresAt": .number(expiresAtUnixSeconds), "seed": "encrypted",
        ]
    }
}
