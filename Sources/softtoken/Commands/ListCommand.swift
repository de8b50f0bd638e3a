// `softtoken list`: the tokens of this device, in columns or as JSON. Bound by CONTRACT §1, §3.
import Activation
import ArgumentParser
import Keystore
import Linux
import OTP
import SoftTokenCore

struct ListCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the tokens of this device.")
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var common: CommonOptions

    func execute(_ context: inout Context) throws(Failure) {
        let authenticator = try context.authenticator()
        let console = try Console(pinDescriptor: common.pinDescriptor)
        var session = try openSession(authenticator, console)
        let tokens = session.tokens
        try authenticating { () throws(AuthenticatorError) in try authenticator.finish(&session) }
        let now = try currentSeconds(authenticator)
        if json {
            return try Output.json(["tokens": .array(tokens.map { $0.json(now: now) })])
        }
        if tokens.isEmpty {
            Output.note("there are no tokens: activate one with softtoken activate")
        }
        try Output.lines(isTerminal(1) ? tokens.table(now: now) : tokens.lines(now: now))
    }
}

extension [Token] {
    /// For people: a heading, and under a token what there is to know of it.
    fileprivate func table(now: Int64) -> [String] {
        guard !isEmpty else { return [] }
        let heading = ["NAME", "STATE", "TYPE", "ISSUER", "ACCOUNT", "SERIAL"]
        let rows = aligned([heading] + map { $0.row(now: now) })
        return [rows[0]]
            + zip(rows.dropFirst(), self).flatMap { row, token in
                [row] + token.remarks(now: now).map { "  " + $0 }
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
            name, state(atUnixSeconds: now).rawValue, typeName, issuer ?? "-", account ?? "-",
            serial ?? "-",
        ]
    }

    fileprivate func remarks(now: Int64) -> [String] {
        let pending = pendingUntil(atUnixSeconds: now).map {
            "may not be accepted before \(clockText($0, now: now))"
        }
        return [pending].compactMap(\.self) + record.warnings.words
    }

    /// CONTRACT §3 (`list`).
    fileprivate func json(now: Int64) -> JSONValue {
        var period: Int64?
        var counter: Int64?
        switch parameters.factor {
        case .time(let stepSeconds): period = Int64(stepSeconds)
        case .counter(let next):
            counter = next <= TokenParameters.maximumCounter ? Int64(next) : nil
        }
        return [
            "id": .string(id), "name": .string(name), "issuer": JSONValue(issuer),
            "account": JSONValue(account), "serial": JSONValue(serial), "type": .string(typeName),
            "algorithm": .string(parameters.algorithm.name),
            "digits": .integer(Int64(parameters.digits.value)), "period": JSONValue(period),
            "counter": JSONValue(counter),
            "state": .string(state(atUnixSeconds: now).rawValue),
            "origin": .string(record.origin == .signed ? "signed" : "unsigned"),
            "warnings": .array(record.warnings.words.map { .string($0) }),
            "activatedAt": .integer(record.activatedUnixSeconds),
            "pendingUntil": JSONValue(record.pendingUntilUnixSeconds),
            "expiresAt": JSONValue(record.expiresUnixSeconds), "seed": "encrypted",
        ]
    }
}

extension TokenWarnings {
    /// Each warning in words.
    fileprivate var words: [String] {
        var words: [String] = []
        if contains(.counterUnknown) { words.append("its next counter is not known") }
        if contains(.shortSeed) { words.append("the seed is shorter than 16 bytes") }
        if contains(.issuerDiffers) { words.append("the link named two different issuers") }
        return words
    }
}
