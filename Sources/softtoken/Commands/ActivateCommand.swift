// `softtoken activate`: from a link to a token: verdict, attestation, clock, trust, code, name, PIN.
// Bound by CONTRACT §1, §4, §5 and DESIGN §7.
import Activation
import ArgumentParser
import Keystore
import Linux
import SoftTokenCore

struct ActivateCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "activate", abstract: "Activate a token with the link from your mail.",
        discussion: """
            Without a LINK you are asked to paste it, or the whole mail. A link is needed once; moving \
            to a new device needs a new link.
            """)

    static let takesLinks = true

    enum ProtectorName: String, ExpressibleByArgument, CaseIterable {
        case deviceFile = "device-file"
        case tpm2
    }

    @Argument(help: ArgumentHelp("The activation link.", valueName: "LINK")) var link: String?
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
    @Flag(
        help: ArgumentHelp(
            "Wait for Enter at the end, for a desktop that closes the terminal.",
            visibility: .hidden))
    var hold = false
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard [link, from, qr].compactMap(\.self).count <= 1 else {
            throw ValidationError("give one of LINK, --from and --qr")
        }
        if let fingerprint, VerifyingKey.normalizedFingerprint(fingerprint) == nil {
            throw ValidationError("--trust-issuer takes a fingerprint as XXXX-XXXX-XXXX-XXXX")
        }
    }

    func execute(_ context: inout Context) throws(Failure) {
        do throws(Failure) { try perform(&context) } catch {
            guard hold else { throw error }
            // The window would close before anybody could read it.
            Output.report(error.message)
            waitForEnter()
            throw .reported(code: error.message.code)
        }
        if hold { waitForEnter() }
    }

    private func waitForEnter() {
        guard let terminal = try? Terminal() else { return }
        _ = try? terminal.readLine("Press Enter to close this window. ", limit: 256)
    }

    private func perform(_ context: inout Context) throws(Failure) {
        try checkLinkArgument(context.link)
        // An empty one takes the suggestion, as an empty answer does.
        if let name, !name.isEmpty, !isAcceptableText(name, bytes: 1...64) {
            throw .unacceptableName
        }
        var authenticator = try context.authenticator()
        try authenticating { () throws(AuthenticatorError) in try authenticator.checkFiles() }
        let console = try Console(pinDescriptor: common.pinDescriptor, isInputTaken: from == "-")
        let answers = try answers(console)
        let text = try foundText(context.link.take(), authenticator, console, answers)
        var offer = try Offer.read(text)
        // The link goes as soon as it is parsed, and not with this command's end.
        _ = consume text
        let entry = try authenticating { () throws(AuthenticatorError) in
            try authenticator.enter(.activate(offer.signed), answers: answers)
        }
        try authenticating { () throws(AuthenticatorError) in try authenticator.makeFolders() }
        try confine(authenticator)
        let clearance = try authenticator.clearance(entry, console)
        try complete(&offer, entry, clearance, &authenticator, console)
    }

    private var trustedFingerprint: String? {
        fingerprint.flatMap(VerifyingKey.normalizedFingerprint)
    }

    private func answers(_ console: borrowing Console) throws(Failure) -> Answers {
        var answers = try authenticating { () throws(AuthenticatorError) in
            try attestation.answers(console, trusting: trustedFingerprint)
        }
        answers.wantsTPM = protector == .tpm2
        return answers
    }

    /// A link anywhere but at its own place was not meant to be one: a name, a file.
    private func checkLinkArgument(_ taken: borrowing SecureBytes?) throws(Failure) {
        guard taken != nil else { return }
        guard let link, ArgumentVector.placeholder.hasPrefix(link) else {
            throw .usage("a link stands where a name or a file belongs")
        }
    }

    /// The link's text; that a named file is missing is told only to who may be here at all.
    private func foundText(
        _ argument: consuming SecureBytes?, _ authenticator: borrowing Authenticator,
        _ console: borrowing Console, _ answers: Answers
    ) throws(Failure) -> LinkText {
        do throws(Failure) { return try linkText(argument, console) } catch {
            if case .noInput = error {
                try authenticating { () throws(AuthenticatorError) in
                    try authenticator.checkPlace(.activate(nil), answers: answers)
                }
            }
            throw error
        }
    }

    /// From the clearance to the token.
    private func complete(
        _ offer: inout Offer, _ entry: Entry, _ clearance: borrowing SeparationClearance,
        _ authenticator: inout Authenticator, _ console: borrowing Console
    ) throws(Failure) {
        console.say(offer.introduction)
        let signed = offer.signed
        var isTrustedNow = false
        if let signed, let unknown = entry.untrustedFingerprint {
            try trust(unknown, signed, entry, authenticator, console)
            isTrustedNow = true
        }
        let enrolment = try opened(&offer, authenticator, console)
        if let clientPart = enrolment.clientPart { console.say(clientPartWords(clientPart)) }
        let suggestion = enrolment.suggestedName
        var chosenName = try askedName(suggestion, console)
        var session = try unlocked(
            entry, policy: enrolment.policy, clearance, &authenticator, console)
        while session.tokens.contains(where: { $0.name == chosenName }) {
            try authenticating { () throws(AuthenticatorError) in
                try authenticator.settle(&session)
            }
            guard console.isInteractive else { throw .authenticator(.keystore(.nameTaken)) }
            console.say("A token of this name is here already.")
            chosenName = try askName(session.tokens.free(suggestion), console)
        }
        let issuer =
            isTrustedNow || signed?.fingerprint == trustedFingerprint
            ? signed?.trustedIssuer : nil
        let token: Token
        do throws(AuthenticatorError) {
            token = try authenticator.activate(
                &session, enrolment, from: signed, named: chosenName, trusting: issuer, clearance)
        } catch { throw .authenticator(error) }
        sayDone(token)
    }

    /// Unlocks the keystore that is there, or makes one.
    private func unlocked(
        _ entry: Entry, policy: TokenPolicy, _ clearance: borrowing SeparationClearance,
        _ authenticator: inout Authenticator, _ console: borrowing Console
    ) throws(Failure) -> Session {
        if entry.facts.isOpenable {
            guard !isRandomPIN else {
                throw .usage(
                    "the keystore has a PIN already",
                    hint: "leave out --random-pin; softtoken pin changes the PIN")
            }
            let pin = try console.pin(prompt: pinPrompt(entry.facts))
            let session = try authenticating { () throws(AuthenticatorError) in
                try authenticator.unlock(pin, clearance)
            }
            warnOfRollback(session)
            return session
        }
        let pin = try console.newPIN(isRandom: isRandomPIN)
        return try authenticating { () throws(AuthenticatorError) in
            try authenticator.create(pin, policy: policy, clearance)
        }
    }

    /// Opens the link's seed; what doesn't open is recorded.
    private func opened(
        _ offer: inout Offer, _ authenticator: borrowing Authenticator,
        _ console: borrowing Console
    ) throws(Failure) -> Enrolment {
        do throws(Failure) { return try offer.open(authenticator, console) } catch {
            if case .authenticator(.activation(let reason)) = error {
                authenticator.reject(reason)
            }
            throw error
        }
    }

    private func trust(
        _ fingerprint: String, _ link: VerifiedLink, _ entry: Entry,
        _ authenticator: borrowing Authenticator, _ console: borrowing Console
    ) throws(Failure) {
        guard console.isInteractive,
            try console.trusts(fingerprint, issuer: link.issuer)
        else { throw .authenticator(authenticator.refuseIssuer(fingerprint, entry)) }
    }

    private func askedName(
        _ suggestion: String, _ console: borrowing Console
    ) throws(Failure) -> String {
        if let name { return name.isEmpty ? suggestion : name }
        return try askName(suggestion, console)
    }

    private func askName(
        _ suggestion: String, _ console: borrowing Console
    ) throws(Failure) -> String {
        try console.name("Name of the token [\(suggestion)]: ") ?? suggestion
    }

    private func clientPartWords(_ part: String) -> String {
        "Type this into the page that gave you the link, to finish there:  \(part)"
    }

    private func sayDone(_ token: Token) {
        let now = token.record.activatedUnixSeconds
        guard token.state(atUnixSeconds: now) != .expired else {
            return Output.warning(
                "\(token.name) is activated, but it has expired already: ask for a new link")
        }
        if token.record.origin == .unsigned {
            Output.warning(
                "the link is not signed and holds the seed: whoever read it has the token; delete it"
            )
        }
        if token.record.warnings.contains(.shortSeed) {
            Output.warning("the seed is shorter than 16 bytes; ask the issuer for a longer one")
        }
        Output.note("\(token.name) is activated. Show its one-time password with: softtoken show")
        guard let pending = token.pendingUntil(atUnixSeconds: now) else { return }
        Output.note(
            "It may not be accepted before \(clockText(pending, now: now)), while the pharmacy "
                + "network learns of it.")
    }
}

extension [Token] {
    /// The suggestion, with a number behind it where its name is taken.
    fileprivate func free(_ suggestion: String) -> String {
        var name = suggestion
        var number = 2
        while contains(where: { $0.name == name }) {
            name = "\(suggestion) \(number)"
            number += 1
        }
        // 64 bytes at most; one that is too long is no suggestion.
        return name.utf8.count <= 64 ? name : suggestion
    }
}
