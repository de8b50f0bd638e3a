// `verify`: whether an OTP is the token's, once. Bound by CONTRACT §6.
import ArgumentParser
import ProgramSupport

struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Checks a one-time password, which it accepts once.",
        discussion: """
            Reads the one-time password from standard input. What is accepted is remembered in \
            the records: the next counter, or the time step and by how much the token's clock is \
            off. Where a token ran far ahead, a second line with the next one-time password \
            brings the two together again.

            In a store, wrong one-time passwords are counted: from the fifth in a row on each has \
            to wait, and at --attempts the token is locked until records unlock. PSKC files don't \
            count: there that is for what calls it.
            """)

    @OptionGroup var options: VerifierOptions

    @OptionGroup var token: TokenNameOptions

    func run() throws {
        try output.line("accepted, \(try options.accept(token.name))")
    }
}
