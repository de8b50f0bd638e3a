// `verify`: whether an OTP is the token's, once. Bound by CONTRACT §6.
import ArgumentParser

struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Checks a one-time password, which it accepts once.",
        discussion: """
            Reads the one-time password from standard input. What is accepted is remembered in \
            the records: the next counter, or the time step and by how much the token's clock is \
            off. Where a token ran far ahead, a second line with the next one-time password \
            brings the two together again.

            It doesn't limit how often somebody may try: that is for what calls it.
            """)

    @OptionGroup var options: VerifierOptions

    func run() throws {
        let accepted = try options.accept()
        try Console.print("accepted, \(accepted.text)")
    }
}
