// `softtoken rename` and `remove`: what is done with a token, besides showing it.
// Bound by CONTRACT §1.
import Activation
import ArgumentParser
import Keystore
import SoftTokenCore

struct RenameCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "rename", abstract: "Give a token another name.")
    @Argument(
        help: ArgumentHelp(
            "A token's name or serial, or how it begins.", valueName: "TOKEN"))
    var token: String
    @Argument(help: ArgumentHelp("The new name, 1 to 64 bytes.", valueName: "NAME"))
    var name: String
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
    @Argument(
        help: ArgumentHelp(
            "A token's name or serial, or how it begins.", valueName: "TOKEN"))
    var token: String
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
