// `softtoken pin`: changes the PIN. Bound by CONTRACT §1.
import ArgumentParser
import Keystore
import SoftTokenCore

struct PINCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "pin", abstract: "Change the PIN.")
    @Flag(
        name: .customLong("random-pin"), help: "Draw the new PIN and show it once.")
    var isRandom = false
    @OptionGroup var common: CommonOptions

    func execute(_ context: inout Context) throws(Failure) {
        let authenticator = try context.authenticator()
        let console = try Console(pinDescriptor: common.pinDescriptor)
        var session = try openSession(authenticator, console)
        try authenticating { () throws(AuthenticatorError) in
            try authenticator.settle(&session)
        }
        let pin = try console.newPIN(isRandom: isRandom)
        try authenticating { () throws(AuthenticatorError) in
            try authenticator.setPIN(&session, pin)
        }
        Output.note("the PIN was changed")
    }
}
