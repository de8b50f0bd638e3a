// `softtoken reset`: destroys the keystore, the device share and the device key. Needs no PIN: who
// forgot it must be able to begin anew. Bound by CONTRACT §1 and DESIGN §4.
import ArgumentParser
import Linux
import ProgramSupport
import SoftTokenCore

struct ResetCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "reset", abstract: "Destroy the keystore with all its tokens.")
    @Flag(help: "Do not ask.") var yes = false
    @OptionGroup(visibility: .hidden) var common: CommonOptions

    func execute(_ context: inout Context) throws(AuthenticatorError) {
        let authenticator = try context.authenticator()
        let console = try Console(pinDescriptor: nil)
        console.confirmsAll = yes
        try authenticator.reset(asking: console)
        output.note("the keystore was destroyed; a new token needs a new link")
    }
}
