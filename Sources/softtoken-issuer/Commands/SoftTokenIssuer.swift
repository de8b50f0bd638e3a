// The command line's root. Bound by CONTRACT §6; shell completion and `--help` are ArgumentParser's.
import ArgumentParser
import ProgramSupport

struct SoftTokenIssuer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "softtoken-issuer",
        abstract: "Makes activation links for SoftToken and checks one-time passwords.",
        discussion: """
            An issuer draws a signing key once (keygen), then makes a link for each token (issue). \
            The link goes to the prescriber by mail, the activation code on another way, and the \
            verifier's record, which holds the seed, stays in a file of the issuer's.

              softtoken-issuer keygen --out clinic.key --name "Example Clinic"
              softtoken-issuer issue --key clinic.key --account alice --records tokens.xml
              softtoken-issuer verify --records tokens.xml --serial ST0123456789

            What a script wants is on standard output, everything else on standard error. SoftToken \
            is not certified for EPCS.
            """,
        version: """
            softtoken-issuer \(softtokenVersion)
            Not certified for EPCS: no module in it is FIPS 140 validated.
            """,
        subcommands: [
            KeyGen.self, Issue.self, FromPSKC.self, Verify.self, Bind.self, Records.self,
            Export.self,
            Inspect.self,
        ])
}
