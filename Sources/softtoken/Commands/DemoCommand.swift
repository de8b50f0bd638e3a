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
        let sample = try Sample(now: try currentSeconds(authenticator))
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

/// A link of an issuer whose key was drawn just now.
private struct Sample {
    let link: String
    /// As a person would read it.
    let code: String

    init(now: Int64) throws(Failure) {
        guard let key = try? SigningKey(), let seed = try? Seed(randomByteCount: 20),
            let code = try? ActivationCode(), let digits = DigitCount(6)
        else { throw .authenticator(.keystore(.outOfMemory)) }
        let content = SignedLinkContent(
            issuer: "Sample Clinic", account: "you@sample.example", serial: "SAMPLE-1",
            parameters: TokenParameters(
                algorithm: .sha1, digits: digits, factor: .time(stepSeconds: 30)),
            issuedAtUnixSeconds: now, expiresUnixSeconds: now + 3600)
        do throws(ActivationError) {
            link = try content.link(
                seed, code: code, cost: .standard, signedBy: key, carrier: .activate)
        } catch { throw .authenticator(.activation(error)) }
        self.code = code.readShown { shown in
            String(decoding: shown.indices.map { shown[$0] }, as: UTF8.self)
        }
    }

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
