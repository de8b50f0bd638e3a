// `softtoken list`, `rename`, `remove`: what is done with tokens, besides showing them.
// Bound by CONTRACT §1, §3.
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
        for token in tokens { try Output.line(token.row(now: now)) }
    }
}

struct RenameCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "rename", abstract: "Give a token another name.")
    @Argument(help: "A token's name or serial, or how it begins.") var token: String
    @Argument(help: "The new name, 1 to 64 bytes.") var name: String
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard isAcceptableText(name, bytes: 1...64) else {
            throw ValidationError("a name has 1 to 64 bytes and no control characters")
        }
    }

    func execute(_ context: inout Context) throws(Failure) {
        let authenticator = try context.authenticator()
        let console = try Console(pinDescriptor: common.pinDescriptor)
        var session = try openSession(authenticator, console)
        let token = try settledChoice(token, &session, authenticator, console)
        try authenticating { () throws(AuthenticatorError) in
            try authenticator.rename(&session, token, to: name)
        }
    }
}

struct RemoveCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a token. It can't be had back.")
    @Argument(help: "A token's name or serial, or how it begins.") var token: String
    @Flag(help: "Do not ask.") var yes = false
    @OptionGroup var common: CommonOptions

    func execute(_ context: inout Context) throws(Failure) {
        let authenticator = try context.authenticator()
        let console = try Console(pinDescriptor: common.pinDescriptor)
        var session = try openSession(authenticator, console)
        let token = try settledChoice(token, &session, authenticator, console)
        let isConfirmed = try yes ? true : isConfirmed(token, &session, authenticator, console)
        guard isConfirmed else {
            throw .usage("nothing was removed", hint: "type yes to remove the token, or add --yes")
        }
        try authenticating { () throws(AuthenticatorError) in
            try authenticator.remove(&session, token)
        }
    }

    private func isConfirmed(
        _ token: Token, _ session: inout Session, _ authenticator: borrowing Authenticator,
        _ console: borrowing Console
    ) throws(Failure) -> Bool {
        try authenticating { () throws(AuthenticatorError) in
            try authenticator.settle(&session)
        }
        return try console.isYes(
            "the confirmation",
            prompt: "Remove \(token.name)? A new link is needed to have it back. Type yes: ")
    }
}

/// Chooses the token; the lock is let go where a person has to, or none fits.
private func settledChoice(
    _ argument: String, _ session: inout Session, _ authenticator: borrowing Authenticator,
    _ console: borrowing Console
) throws(Failure) -> Token {
    if case .one(let token) = session.tokens.choose(argument) { return token }
    try authenticating { () throws(AuthenticatorError) in try authenticator.settle(&session) }
    return try session.tokens.chosen(argument, console)
}

extension Token {
    fileprivate func row(now: Int64) -> String {
        let state = state(atUnixSeconds: now)
        var parts = [name, state.rawValue, typeName]
        if let issuer { parts.append(issuer) }
        if let account { parts.append(account) }
        if let serial { parts.append("serial \(serial)") }
        if let pending = pendingUntil(atUnixSeconds: now) {
            parts.append("may not be accepted before \(clockText(pending, now: now))")
        }
        return (parts + record.warnings.words).joined(separator: "  ")
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
        if contains(.shortSeed) { words.append("the seed is shorter than 16 bytes") }
        if contains(.issuerDiffers) { words.append("the link named two different issuers") }
        return words
    }
}
