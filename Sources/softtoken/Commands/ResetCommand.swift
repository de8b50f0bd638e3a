// `softtoken reset`: destroys the keystore, the device share and the device key. Needs no PIN: who
// forgot it must be able to begin anew. Bound by CONTRACT §1 and DESIGN §4.
import ArgumentParser
import Keystore
import Linux
import SoftTokenCore

struct ResetCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "reset", abstract: "Destroy the keystore with all its tokens.")
    @Flag(help: "Do not ask.") var yes = false
    @OptionGroup var common: CommonOptions

    func execute(_ context: inout Context) throws(Failure) {
        let authenticator = try context.authenticator()
        let facts = try authenticating { () throws(AuthenticatorError) in
            try authenticator.facts()
        }
        if facts.state == .none, facts.error == nil { throw .authenticator(.keystore(.missing)) }
        if case .problem(let problem)? = facts.error {
            // What is no file is none of ours and is removed; a file may be somebody else's.
            guard case .notPlain = problem else {
                throw .authenticator(.keystore(.problem(problem)))
            }
        }
        let console = try Console(pinDescriptor: common.pinDescriptor)
        try confine(authenticator)
        let isConfirmed = try yes ? true : isConfirmed(console)
        guard isConfirmed else {
            throw .usage("nothing was destroyed", hint: "type yes to reset, or add --yes")
        }
        try authenticating { () throws(AuthenticatorError) in try authenticator.reset() }
        Output.note("the keystore was destroyed; a new token needs a new link")
    }

    private func isConfirmed(_ console: borrowing Console) throws(Failure) -> Bool {
        try console.isYes(
            "the confirmation",
            prompt: "Destroy the keystore with all its tokens? Each needs a new link. Type yes: ")
    }
}
