// `softtoken request`: this device's enrolment request, for a link that only this device can open.
// Bound by CONTRACT §1, §4 and DESIGN §7.
import ArgumentParser
import Linux
import ProgramSupport
import SoftTokenCore

struct RequestCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "request",
        abstract: "Print this device's enrolment request and its verification.",
        discussion: """
            Send the request to the issuer, and read the verification out by telephone. The link that \
            comes back opens on this device alone. A request lives 14 days, for one activation.
            """)
    @Flag(name: .customLong("new"), help: "Replace the living request.") var isRenewed = false
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup(visibility: .hidden) var common: CommonOptions

    func execute(_ context: inout Context) throws(AuthenticatorError) {
        var authenticator = try context.authenticator()
        let request = try authenticator.request(replacingLiving: isRenewed)
        if json {
            return try output.json([
                "request": .text(request.text), "verification": .text(request.verification),
            ])
        }
        // For people; a script reads the two lines alone.
        let isShown = isTerminal(1)
        if isShown { output.note("Send this line to the issuer:") }
        try output.line(request.text)
        if isShown { output.note("Verification, to be read out by telephone:") }
        try output.line(request.verification)
    }
}
