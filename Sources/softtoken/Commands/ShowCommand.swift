// `softtoken show`: the rolling OTP at a terminal, the current one for scripts.
// Bound by CONTRACT §1, §3 and DESIGN §8.
import ArgumentParser
import Linux
import ProgramSupport
import SoftTokenCore

struct ShowCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show the one-time password of a token.",
        discussion: """
            At a terminal the one-time password rolls until you press q. With --once or --json, or \
            when the output is no terminal, the current one is printed once. With --json and --for \
            one object is a line, now and at each roll-over, for programs that draw.
            """)

    @Argument(
        help: ArgumentHelp(
            "A token's name or serial, or how it begins.", valueName: "TOKEN"))
    var token: String?
    @Flag(help: "Print the current one-time password once.") var once = false
    @Option(
        name: .customLong("for"),
        help: ArgumentHelp("End the display after so many seconds.", valueName: "SECONDS"))
    var seconds: Int?
    @Flag(help: "Show plain lines, for screen readers.") var plain = false
    @Flag(help: "Print the current one-time password as JSON.") var json = false
    @OptionGroup var attestation: AttestationOptions
    @OptionGroup var window: WindowOptions
    @OptionGroup var pin: PINOptions
    @OptionGroup var colour: ColourOptions

    var holdsWindow: HoldsWindow { window.hold ? .afterFailure : .never }

    func validate() throws {
        if let seconds, !(1...900).contains(seconds) {
            throw ValidationError("--for takes 1 to 900 seconds")
        }
        if seconds != nil, once {
            throw ValidationError("--for belongs to the rolling display, not to --once")
        }
    }

    func execute(_ context: inout Context) throws(AuthenticatorError) {
        let rolls = !once && !json && isTerminal(1)
        let streams = json && seconds != nil
        // A counter must not move for an OTP that can't be shown.
        guard ProgramStart.isOutputWritable else {
            throw AuthenticatorError(
                .inputOutput,
                "standard output is closed: the one-time password could not be shown",
                hint: "leave it open, or send it into a pipe")
        }
        let authenticator = try context.authenticator()
        let console = try Console(pinDescriptor: pin.pinDescriptor, needsTerminal: rolls)
        console.given = attestation.given
        let session = try authenticator.show(
            token, for: rolls || streams ? .session(atMostSeconds: seconds) : .once,
            asking: console)
        // Closes the chip and the folders: a display needs none of them.
        _ = consume authenticator
        if streams { return try printEach(session) }
        guard rolls, let terminal = console.terminal else { return try printOnce(session) }
        let style = DisplayStyle(
            wantsPlain: plain, forbidsColour: colour.forbidsColor,
            environment: environmentVariable)
        try roll(session, style, terminal)
    }

    private func printOnce(_ session: borrowing DisplaySession) throws(AuthenticatorError) {
        let now = try currentSeconds()
        let pending = session.token.pendingUntil(atUnixSeconds: now)
        if let pending {
            let time = clockText(pending, now: now)
            output.warning("this token may not be accepted before \(time)")
        }
        let otp = session.current()
        try printing(otp) { () throws(AuthenticatorError) in
            guard json else { return try output.line(otp.digits) }
            try output.json(session.token.json(otp, pendingUntil: pending))
        }
    }

    /// A counter that has moved is told where its OTP could not be.
    private func printing(
        _ otp: OneTimePassword, _ write: () throws(AuthenticatorError) -> Void
    ) throws(AuthenticatorError) {
        do throws(AuthenticatorError) { try write() } catch {
            guard case .counter = otp.validity else { throw error }
            throw AuthenticatorError(
                error.exitCode,
                "standard output can't be written, and the counter has moved on: this one-time "
                    + "password is lost",
                hint: "free some space, or send it elsewhere; the next use makes the next one")
        }
    }
}

extension ShowCommand {
    /// Prints an object now and one at each roll-over, until the use ends; a HOTP token has one.
    private func printEach(_ session: borrowing DisplaySession) throws(AuthenticatorError) {
        let timer = try running(try SecondTimer())
        var printed: OneTimePassword?
        while true {
            switch try session.frame() {
            case .ended(.clockMoved): return output.note(clockMovedWords)
            case .ended: return
            case .showing(let frame):
                if frame.otp != printed {
                    try printing(frame.otp) { () throws(AuthenticatorError) in
                        try output.json(
                            session.token.json(
                                frame.otp, pendingUntil: frame.pendingUntilUnixSeconds))
                    }
                    printed = frame.otp
                }
                guard frame.rolling != nil else { return }
                timer.wait()
            }
        }
    }
}

/// The options that attest and confirm.
struct AttestationOptions: ParsableArguments {
    @Flag(
        name: .customLong("not-prescribing-device"),
        help: "Attest that you do not send prescriptions from this device.")
    var isAttested = false

    @Option(
        name: .customLong("clock-is"),
        help: ArgumentHelp(
            "Confirm the date that this device shows.", valueName: "YYYY-MM-DD"))
    var clockDate: String?

    /// What they say.
    var given: GivenAnswers {
        var given = GivenAnswers()
        given.isAttested = isAttested
        given.date = clockDate
        return given
    }

    func validate() throws {
        if let clockDate, !isDate(clockDate) {
            throw ValidationError("--clock-is takes a date as YYYY-MM-DD")
        }
    }
}

extension Token {
    /// CONTRACT §3 (`show`).
    fileprivate func json(_ otp: OneTimePassword, pendingUntil: Int64?) -> JSON {
        var from: Int64?
        var until: Int64?
        var counter: Int64?
        switch otp.validity {
        case .time(let start, let end):
            from = start
            until = end
        case .counter(let used): counter = Int64(used)
        }
        return [
            "token": [
                "id": .text(id), "name": .text(name), "issuer": .text(issuer),
                "account": .text(account), "serial": .text(serial),
            ],
            "otp": .text(otp.digits), "type": .text(kind.name), "validFrom": .number(from),
            "validUntil": .number(until), "counter": .number(counter),
            "pendingUntil": .number(pendingUntil),
        ]
    }
}
