// What a command works with: the link that was taken out of argv, and the way to an authenticator.
// Bound by DESIGN §8 ("Order at start").
import ArgumentParser
import Keystore
import Linux
import SoftTokenCore

/// Options of every command.
struct CommonOptions: ParsableArguments {
    @Option(
        name: .customLong("pin-fd"),
        help: ArgumentHelp("Take the PIN from file descriptor N, a line each.", valueName: "N"))
    var pinDescriptor: Int32?

    @Flag(name: .customLong("no-color"), help: "Use no colour.")
    var forbidsColor = false
}

/// What the process was given besides its options.
struct Context: ~Copyable {
    /// The link argument, moved out of argv.
    var link: SecureBytes?

    /// Opens the authenticator of this user on this device.
    func authenticator() throws(Failure) -> Authenticator {
        LocalTime.prepare()
        return try authenticating { () throws(AuthenticatorError) in
            let place = try Place(
                home: environmentVariable("HOME"),
                dataHome: environmentVariable("XDG_DATA_HOME"),
                stateHome: environmentVariable("XDG_STATE_HOME"))
            let surroundings = try Surroundings.read(
                sshConnection: environmentVariable("SSH_CONNECTION"))
            return try Authenticator(
                place: place, surroundings: surroundings,
                whenWaiting: { Output.note("waiting for another softtoken to end") })
        }
    }
}

/// A command of softtoken.
protocol Command: ParsableCommand {
    /// Whether an argument may look like a link. Where none may, it would be lost: it was taken out
    /// of argv before the parser saw it.
    static var takesLinks: Bool { get }

    /// Carries the command out.
    func execute(_ context: inout Context) throws(Failure)
}

extension Command {
    static var takesLinks: Bool { false }

    // Main calls `execute`, which knows the context; the parser's own way in is never taken.
    func run() throws { throw CleanExit.helpRequest(self) }
}

/// Closes the file sandbox over the two folders, before any PIN is asked.
func confine(_ authenticator: borrowing Authenticator) throws(Failure) {
    let folders = authenticator.folderDescriptors
    _ = try running { () throws(SystemError) in try Sandbox.confineFiles(to: folders) }
}

/// The prompt for the existing PIN: says how many attempts are left when it is fewer than all.
func pinPrompt(_ facts: KeystoreFacts, _ prompt: String = "PIN") -> String {
    guard let left = facts.attemptsLeft, let limit = facts.attemptLimit, left < limit else {
        return "\(prompt): "
    }
    guard left > 1 else {
        return """
            This is the last attempt: a wrong PIN, or a power cut while it is checked, erases the \
            keystore. Ctrl-C now ends without trying.
            \(prompt):\u{20}
            """
    }
    return "\(prompt) (\(left) attempts left): "
}

/// A PIN that was typed and not tried yet, by one who may try it: the way of every command that
/// makes no OTP. What else a script answers is read between the two, so that a missing or malformed
/// answer (64) costs no attempt.
struct AskedPIN: ~Copyable {
    private let entry: Entry
    private let pin: PINDigits

    /// Enters, closes the file sandbox and asks.
    init(
        _ authenticator: borrowing Authenticator, _ console: borrowing Console,
        prompt: String = "PIN"
    ) throws(Failure) {
        let entry = try authenticating { () throws(AuthenticatorError) in
            try authenticator.enter(
                .manage, answers: Answers(isInteractive: console.isInteractive))
        }
        try confine(authenticator)
        pin = try console.pin(prompt: pinPrompt(entry.facts, prompt))
        self.entry = entry
    }

    /// Tries it.
    consuming func open(_ authenticator: borrowing Authenticator) throws(Failure) -> Session {
        let session = try authenticating { () throws(AuthenticatorError) in
            try authenticator.unlock(pin, authenticator.admit(entry))
        }
        warnOfRollback(session)
        return session
    }
}

/// Asks for the PIN and tries it.
func openSession(
    _ authenticator: borrowing Authenticator, _ console: borrowing Console
) throws(Failure) -> Session {
    try AskedPIN(authenticator, console).open(authenticator)
}

func warnOfRollback(_ session: borrowing Session) {
    guard session.wasRolledBack else { return }
    Output.warning(
        "an older copy of the keystore was put back; tokens or counters may be missing")
}

extension Array where Element == Token {
    /// The one token that TOKEN fits; asks for a choice at a terminal.
    func chosen(_ argument: String?, _ console: borrowing Console) throws(Failure) -> Token {
        switch choose(argument) {
        case .one(let token): return token
        case .none: throw .noSuchToken
        case .several(let tokens):
            guard console.isInteractive else { throw .ambiguousToken(tokens.map(\.name)) }
            return try console.choice(of: tokens)
        }
    }
}

extension Console {
    /// Lets a person choose a token by its number.
    fileprivate func choice(of tokens: [Token]) throws(Failure) -> Token {
        for (index, token) in tokens.enumerated() {
            say("  \(index + 1)  \(token.name)\(token.issuer.map { "  (\($0))" } ?? "")")
        }
        while true {
            let typed = try line(
                "the choice of token", prompt: "Which token (1 to \(tokens.count))? ")
            if let number = Int(typed), (1...tokens.count).contains(number) {
                return tokens[number - 1]
            }
            if case .one(let token) = tokens.choose(typed) { return token }
            say("Type a number from 1 to \(tokens.count), or how the name of one token begins.")
        }
    }
}

/// The wall clock now, Unix seconds.
func currentSeconds(_ authenticator: borrowing Authenticator) throws(Failure) -> Int64 {
    try authenticating { () throws(AuthenticatorError) in try authenticator.now().unixSeconds }
}
