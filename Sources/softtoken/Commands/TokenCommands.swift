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

    func execute(_ context: inout Context) throws(Failure) {
        guard isAcceptableText(name, bytes: 1...64) else { throw .unacceptableName }
        let authenticator = try context.authenticator()
        let console = try Console(pinDescriptor: common.pinDescriptor)
        var session = try openSession(authenticator, console)
        let token = try settledChoice(token, &session, authenticator, console)
        var name = name
        while try !isRenamed(token, name, &session, authenticator, console) {
            console.say("A token of this name is here already.")
            name = try console.name("New name: ") ?? token.name
        }
        Output.note("\(token.name) is now named \(name)")
    }

    /// Renames the token; false if another has the name and a person can be asked for a better one.
    private func isRenamed(
        _ token: Token, _ name: String, _ session: inout Session,
        _ authenticator: borrowing Authenticator, _ console: borrowing Console
    ) throws(Failure) -> Bool {
        do throws(AuthenticatorError) {
            try authenticator.rename(&session, token, to: name)
            return true
        } catch {
            guard console.isInteractive, error == .keystore(.nameTaken) else {
                throw .authenticator(error)
            }
            return false
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
        let asked = try AskedPIN(authenticator, console)
        // A script's answer is judged before the PIN is tried: 64 comes before 77.
        if !yes, !console.isInteractive { try confirm("", console) }
        var session = try asked.open(authenticator)
        let token = try settledChoice(token, &session, authenticator, console)
        if !yes, console.isInteractive {
            try authenticating { () throws(AuthenticatorError) in
                try authenticator.settle(&session)
            }
            try confirm(
                "Remove \(token.name)? A new link is needed to have it back. Type yes: ", console)
        }
        try authenticating { () throws(AuthenticatorError) in
            try authenticator.remove(&session, token)
        }
        Output.note("\(token.name) is removed")
    }

    private func confirm(
        _ prompt: String, _ console: borrowing Console
    ) throws(Failure) {
        guard try console.isYes("the confirmation", prompt: prompt) else {
            throw .usage("nothing was removed", hint: "type yes to remove the token, or add --yes")
        }
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
