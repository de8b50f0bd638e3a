// `softtoken demo`: the ordinary steps with a sample link of a sample issuer, in a throw-away
// keystore, for someone who has no account. Bound by CONTRACT §1 (`demo`).
import Activation
import ArgumentParser
import Keystore
import Linux
import OTP
import SoftTokenCore

struct DemoCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Try everything with a sample token that is thrown away.",
        discussion: """
            Nothing of yours is touched: the keystore lies in a temporary folder and is removed at \
            the end. Without a terminal the demo answers for itself and prints one OTP.
            """)
    @OptionGroup var common: CommonOptions

    func execute(_ context: inout Context) throws(Failure) {
        let folder = try running { () throws(SystemError) in try TemporaryFolder() }
        var authenticator = try sampleAuthenticator(folder)
        let rolls = isTerminal(0) && isTerminal(1)
        let console = try Console(pinDescriptor: common.pinDescriptor, needsTerminal: rolls)
        let sample = Sample()
        console.say(
            "A sample issuer mails this link (shortened), and sends its code on another way:")
        console.say("  \(sample.link.prefix(46))…\n  activation code \(sample.code)\n")
        let link = try sample.verified()
        let entry = try authenticating { () throws(AuthenticatorError) in
            try authenticator.enter(
                .activate(link),
                answers: Answers(
                    isInteractive: false, isAttested: true, isClockConfirmed: true,
                    trustedFingerprint: link.fingerprint))
        }
        let clearance = try authenticating { () throws(AuthenticatorError) in
            try authenticator.clear(entry)
        }
        let token = try activate(sample, link, clearance, &authenticator, console)
        try show(token, clearance, authenticator, console)
        Output.note("The sample token is thrown away; nothing of yours was touched.")
    }

    /// The ordinary authenticator, but for its folders; a sample OTP signs nothing, so that a remote
    /// login may see it.
    private func sampleAuthenticator(
        _ folder: borrowing TemporaryFolder
    ) throws(Failure) -> Authenticator {
        LocalTime.prepare()
        let place = Place(
            dataPath: folder.path + "/data/softtoken", statePath: folder.path + "/state/softtoken")
        return try authenticating { () throws(AuthenticatorError) in
            var surroundings = try Surroundings.read(sshConnection: nil)
            surroundings.isRemote = false
            return try Authenticator(place: place, surroundings: surroundings)
        }
    }

    private func activate(
        _ sample: Sample, _ link: VerifiedLink,
        _ clearance: borrowing SeparationClearance, _ authenticator: inout Authenticator,
        _ console: borrowing Console
    ) throws(Failure) -> Kept {
        let enrolment = try sample.open(link)
        var name = enrolment.suggestedName
        if console.isInteractive {
            let typed = try console.line("the name", prompt: "Name of the token [\(name)]: ")
            if isAcceptableText(typed, bytes: 1...64) { name = typed }
        }
        let pin = try console.isInteractive ? console.newPIN(isRandom: false) : Sample.drawnPIN()
        var session = try authenticating { () throws(AuthenticatorError) in
            try authenticator.create(pin, policy: TokenPolicy(), clearance)
        }
        do throws(AuthenticatorError) {
            let token = try authenticator.activate(
                &session, enrolment, from: link, named: name, trusting: link.trustedIssuer,
                clearance)
            return Kept(token: token, session: session)
        } catch { throw .authenticator(error) }
    }

    private func show(
        _ kept: consuming Kept, _ clearance: borrowing SeparationClearance,
        _ authenticator: borrowing Authenticator, _ console: borrowing Console
    ) throws(Failure) {
        let token = kept.token
        let seconds = console.terminal == nil ? 0 : TokenPolicy.defaultSessionSeconds
        let otps: OneTimePasswords
        do throws(AuthenticatorError) {
            otps = try authenticator.makeOTPs(
                &kept.session, of: token, sessionSeconds: seconds, clearance)
        } catch { throw .authenticator(error) }
        _ = consume kept
        guard let terminal = console.terminal else {
            try Output.line(otps.current.digits)
            return
        }
        let style = DisplayStyle(
            wantsPlain: false, forbidsColour: common.forbidsColor,
            environment: environmentVariable)
        try roll(otps, seconds: seconds, style, terminal)
    }
}

/// The activated token and the keystore that is open still.
private struct Kept: ~Copyable {
    let token: Token
    var session: Session
}

/// A link of a sample issuer: this program has no way to make one. It is
/// Tests/ActivationTests/Vectors/ok-sample.txt, from RFC 4226's own seed, and ends in 2100.
private struct Sample {
    let link = """
        softtoken:activate#eyJhbGciOiJFZERTQSIsInR5cCI6InNvZnR0b2tlbitqd3QiLCJqd2siOnsia\
        3R5IjoiT0tQIiwiY3J2IjoiRWQyNTUxOSIsIngiOiJ4aEdVMVZJQko3OElPRmVNajVSZi1kWDFWZVVtX\
        2NjRU95anNDUktOMmxnIn19.eyJpc3MiOiJTYW1wbGUgQ2xpbmljIiwic3ViIjoieW91QHNhbXBsZS5l\
        eGFtcGxlIiwianRpIjoiUnZjYWZMTnlCQy1oeV9MS0hBLVJwZyIsImlhdCI6MTczNTY4OTYwMCwiZXhw\
        Ijo0MTAyNDQ0ODAwLCJzdCI6eyJ2IjoxLCJraW5kIjoic29mdCIsInNlcmlhbCI6IlNBTVBMRS0xIiwi\
        dHlwZSI6InRvdHAiLCJhbGdvcml0aG0iOiJTSEExIiwiZGlnaXRzIjo2LCJzZWVkIjp7ImJ5IjoiY29k\
        ZSIsInNhbHQiOiIxNzdpdFlTN29DZkJrMy1LbU1NLVhnIiwib3BzIjoyLCJtZW0iOjY3MTA4ODY0LCJu\
        b25jZSI6IjNoX1FnM0JVNlJsLTE5bXMxQzFCVVVLTWszUjBPQ2lEIiwiYm94IjoiaE1sUjMyVkU2R3dG\
        UzkwRVRkd0xKLXlGcmJyeWt6NXAxZzhNM0U4cmtqU20ybkNiIn0sInBlcmlvZCI6MzB9fQ.z71Jr5XiB\
        ndhS2NzzVWjCThZ6SLD4LenbxqT7Ocjmmu6D4tTQ63N-RuhzRfmQqtuTniRwvkN3FXdcxVinHSTAQ
        """
    /// As a person would read it.
    let code = "7G3KQ-0ZMX1"

    /// The link as `activate` reads it.
    func verified() throws(Failure) -> VerifiedLink {
        let read: ActivationLink
        do throws(ActivationError) { read = try readLink(Array(link.utf8).span) } catch {
            throw .authenticator(.activation(error))
        }
        guard case .signed(let verified) = read else {
            preconditionFailure("the sample link is signed")
        }
        return verified
    }

    func open(_ link: VerifiedLink) throws(Failure) -> Enrolment {
        do throws(ActivationError) {
            return try link.open(code: try ActivationCode(parsing: Array(code.utf8).span))
        } catch { throw .authenticator(.activation(error)) }
    }

    /// A PIN for the demo that answers for itself.
    static func drawnPIN() throws(Failure) -> PINDigits {
        guard let pin = try? PINDigits(random: ()) else {
            throw .authenticator(.keystore(.outOfMemory))
        }
        return pin
    }
}
