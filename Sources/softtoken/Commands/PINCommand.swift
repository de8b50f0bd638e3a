// `softtoken pin`: changes the PIN. Bound by CONTRACT §1.
import ArgumentParser
import ProgramSupport
import SoftTokenCore

struct PINCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "pin", abstract: "Change the PIN.")
    @Flag(
        name: .customLong("random-pin"), help: "Draw the new PIN and show it once.")
    var isRandom = false
    @Option(
        help: ArgumentHelp(
            "What holds the device's share of the key from now on.", valueName: "PROTECTOR"))
    var protector: ActivateCommand.ProtectorName?
    @OptionGroup var common: CommonOptions

    func execute(_ context: inout Context) throws(AuthenticatorError) {
        let authenticator = try context.authenticator()
        let console = try Console(pinDescriptor: common.pinDescriptor)
        console.given.drawsPIN = isRandom
        console.given.protector = protector.flatMap { ProtectorChoice(rawValue: $0.rawValue) }
        try authenticator.changePIN(asking: console)
        output.note("the PIN was changed")
    }
}
