// `softtoken activate`: its options as answers, the link from where it is, and what is said at the end.
// Bound by CONTRACT §1, §4, §5 and DESIGN §7.
import ArgumentParser
import Linux
import ProgramSupport
import SoftTokenCore

struct ActivateCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "activate", abstract: "Activate a token with the link from your mail.",
        discussion: """
            Without a LINK you are asked to paste it, or the whole mail. A link is needed once; moving \
            to a new device needs a new link.
            """)

    static let takesLinks = true
    var holdsWindow: HoldsWindow { window.hold ? .always : .never }

    enum ProtectorName: String, ExpressibleByArgument, CaseIterable {
        case deviceFile = "device-file"
        case tpm2
    }

    @Argument(
        help: ArgumentHelp(
            "The activation link. It stays in the shell's history: better paste it, or --from.",
            valueName: "LINK"))
    var link: String?
    @Option(
        help: ArgumentHelp(
            "Take the link from a file with a mail or a page; - is standard input.",
            valueName: "FILE"))
    var from: String?
    @Option(help: ArgumentHelp("Read the link from a picture of a QR code.", valueName: "IMAGE"))
    var qr: String?
    @Option(help: ArgumentHelp("The token's name, 1 to 64 bytes.", valueName: "NAME"))
    var name: String?
    @Flag(name: .customLong("random-pin"), help: "Draw the PIN and show it once.")
    var isRandomPIN = false
    @OptionGroup var attestation: AttestationOptions
    @Option(
        name: .customLong("trust-issuer"),
        help: ArgumentHelp(
            "Trust the issuer whose key has this fingerprint.", valueName: "FINGERPRINT"))
    var fingerprint: String?
    @Option(
        help: ArgumentHelp(
            "What holds the device's share of the key.", valueName: "PROTECTOR"))
    var protector: ProtectorName?
    @OptionGroup var window: WindowOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard [link, from, qr].compactMap(\.self).count <= 1 else {
            throw ValidationError("give one of LINK, --from and --qr")
        }
        if let fingerprint, Authenticator.fingerprint(fingerprint) == nil {
            throw ValidationError("--trust-issuer takes a fingerprint as XXXX-XXXX-XXXX-XXXX")
        }
    }

    func execute(_ context: inout Context) throws(AuthenticatorError) {
        // A link anywhere but at its own place was not meant to be one: a name, a file.
        let isLinkArgument = link.map { ProgramStart.linkPlaceholder.hasPrefix($0) } ?? false
        guard context.link == nil || isLinkArgument else {
            throw .usage("a link stands where a name or a file belongs")
        }
        var authenticator = try context.authenticator()
        let console = try Console(pinDescriptor: common.pinDescriptor, isInputTaken: from == "-")
        console.given = attestation.given
        console.given.trustedFingerprint = fingerprint.flatMap(Authenticator.fingerprint)
        console.given.name = name
        console.given.drawsPIN = isRandomPIN
        console.given.protector = protector.flatMap { ProtectorChoice(rawValue: $0.rawValue) }
        let text: GivenLink?
        do throws(AuthenticatorError) { text = try givenLink(context.link.take()) } catch {
            // That a named file is missing is told only to who may be here at all.
            if error.exitCode == .notFound { try authenticator.check(.activation, for: console) }
            throw error
        }
        sayDone(try authenticator.activate(text, asking: console))
    }

    private func sayDone(_ token: Token) {
        let now = token.activatedAtUnixSeconds
        guard token.state(atUnixSeconds: now) != .expired else {
            return output.warning(
                "\(token.name) is activated, but it has expired already: ask for a new link")
        }
        if !token.isFromSignedLink {
            output.warning(
                "the link is not signed and holds the seed: whoever read it has the token; delete it"
            )
        }
        if token.warnings.contains(.shortSeed) {
            output.warning("the seed is shorter than 16 bytes; ask the issuer for a longer one")
        }
        output.note("\(token.name) is activated. Show its one-time password with: softtoken show")
        guard let pending = token.pendingUntil(atUnixSeconds: now) else { return }
        output.note(
            "It may not be accepted before \(clockText(pending, now: now)), while the pharmacy "
                + "network learns of it.")
    }
}
