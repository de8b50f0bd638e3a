// `softtoken rename` and `remove`: what is done with a token, besides showing it.
// Bound by CONTRACT §1.
import ArgumentParser
import ProgramSupport
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

    func execute(_ context: inout Context) throws(AuthenticatorError) {
        let authenticator = try context.authenticator()
        let console = try Console(pinDescriptor: common.pinDescriptor)
        console.namePrompt = "New name: "
        let names = try authenticator.rename(token, to: name, asking: console)
        output.note("\(names.former) is now named \(names.name)")
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

    func execute(_ context: inout Context) throws(AuthenticatorError) {
        let authenticator = try context.authenticator()
        let console = try Console(pinDescriptor: common.pinDescriptor)
        console.confirmsAll = yes
        let removed = try authenticator.remove(token, asking: console)
        output.note("\(removed.name) is removed")
        guard removed.tokensLeft == 0 else { return }
        output.note(
            "It was the last token here. The keystore stays, with its PIN, for the next one: "
                + "softtoken activate")
    }
}
