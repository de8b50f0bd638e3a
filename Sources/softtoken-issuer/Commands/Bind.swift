// `bind`: the hard token's activation. The serial from its back and the OTP of its button link the
// token of a vendor's PSKC file to an account. Bound by CONTRACT §6.
import ArgumentParser
import ProgramSupport

struct Bind: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bind",
        abstract: "Links the hard token of a vendor's PSKC file to an account.",
        discussion: """
            Reads the one-time password of the token's button from standard input, and a second \
            one where the token's counter ran far ahead. The account is written to the key's \
            UserId; all else in the file stays as it is.
            """)

    @OptionGroup var options: VerifierOptions

    @Option(help: .taking("serial", "The token's serial."))
    var serial: String

    @Option(help: .taking("account", "Whom the token is for."))
    var account: String

    func validate() throws {
        try require(account: account)
    }

    func run() throws {
        let accepted = try options.accept(.serial(serial), account: account)
        try output.line("bound \(serial) to \(account), \(accepted)")
    }
}
