// `softtoken show`: the rolling OTP at a terminal, the current one for scripts.
// Bound by CONTRACT §1, §3 and DESIGN §8.
import Activation
import ArgumentParser
import Keystore
import Linux
import OTP
import SoftTokenCore

struct ShowCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show the one-time password of a token.",
        discussion: """
            At a terminal the one-time password rolls until you press q. With --once or --json, or \
            when the output is no terminal, the current one is printed once.
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
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let seconds, !(1...900).contains(seconds) {
            throw ValidationError("--for takes 1 to 900 seconds")
        }
        if seconds != nil, once || json {
            throw ValidationError("--for belongs to the rolling display, not to --once or --json")
        }
    }

    func execute(_ context: inout Context) throws(Failure) {
        let rolls = !once && !json && isTerminal(1)
        // A counter must not move for an OTP that can't be shown.
        guard ProcessGuard.isOutputWritable else { throw .outputClosed }
        let authenticator = try context.authenticator()
        let console = try Console(pinDescriptor: common.pinDescriptor, needsTerminal: rolls)
        let entry = try authenticating { () throws(AuthenticatorError) in
            try authenticator.enter(.show, answers: try attestation.answers(console))
        }
        try confine(authenticator)
        let clearance = try authenticator.clearance(entry, console)
        let pin = try console.pin(prompt: pinPrompt(entry.facts))
        var session = try authenticating { () throws(AuthenticatorError) in
            try authenticator.unlock(pin, clearance)
        }
        // The PIN has done its work; the display may last for minutes.
        _ = consume pin
        warnOfRollback(session)
        let chosen = try choose(&session, authenticator, console)
        let limit = try authenticating { () throws(AuthenticatorError) in
            try authenticator.sessionSeconds(session, of: chosen)
        }
        let length = rolls ? min(seconds ?? limit, limit) : 0
        let otps = try authenticating { () throws(AuthenticatorError) in
            try authenticator.makeOTPs(
                &session, of: chosen, sessionSeconds: length, clearance)
        }
        // The keys go before the first digit is shown.
        _ = consume session
        if rolls, let terminal = console.terminal {
            let style = DisplayStyle(
                wantsPlain: plain, forbidsColour: common.forbidsColor,
                environment: environmentVariable)
            try roll(otps, seconds: length, style, terminal)
        } else {
            try printOnce(otps, now: try currentSeconds(authenticator))
        }
    }

    /// Chooses the token; the lock is let go while a person does.
    private func choose(
        _ session: inout Session, _ authenticator: borrowing Authenticator,
        _ console: borrowing Console
    ) throws(Failure) -> Token {
        if case .one(let token) = session.tokens.choose(token) { return token }
        try authenticating { () throws(AuthenticatorError) in
            try authenticator.settle(&session)
        }
        return try session.tokens.chosen(token, console)
    }

    private func printOnce(_ otps: OneTimePasswords, now: Int64) throws(Failure) {
        if let pending = otps.token.pendingUntil(atUnixSeconds: now) {
            let time = clockText(pending, now: now)
            Output.warning("this token may not be accepted before \(time)")
        }
        guard json else { return try Output.line(otps.current.digits) }
        try Output.json(otps.json(now: now))
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

    /// - Throws: `Failure.usage` for a date that is none.
    func answers(
        _ console: borrowing Console, trusting fingerprint: String? = nil
    ) throws(AuthenticatorError) -> Answers {
        var isConfirmed: Bool?
        if let clockDate {
            let now: ClockReading
            do throws(SystemError) { now = try ClockReading.now() } catch { throw .system(error) }
            isConfirmed = clockDate == LocalTime(atUnixSeconds: now.unixSeconds).date
        }
        return Answers(
            isInteractive: console.isInteractive, isAttested: isAttested,
            isClockConfirmed: isConfirmed, trustedFingerprint: fingerprint)
    }

    func validate() throws {
        guard let clockDate else { return }
        let parts = clockDate.utf8.split(
            separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        let isWritten =
            parts.map(\.count) == [4, 2, 2]
            && parts.allSatisfy { $0.allSatisfy { (0x30...0x39).contains($0) } }
        let numbers = clockDate.split(separator: "-").compactMap { Int($0) }
        guard isWritten, isDate(year: numbers[0], month: numbers[1], day: numbers[2]) else {
            throw ValidationError("--clock-is takes a date as YYYY-MM-DD")
        }
    }

    /// Whether the calendar (Gregorian) has this day.
    private func isDate(year: Int, month: Int, day: Int) -> Bool {
        let isLeap = year.isMultiple(of: 4) && !year.isMultiple(of: 100) || year.isMultiple(of: 400)
        let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return (1...12).contains(month) && (1...lengths[month - 1]).contains(day)
    }
}

extension Authenticator {
    /// Asks what the entry leaves open, and turns it into a clearance.
    func clearance(
        _ entry: Entry, _ console: borrowing Console
    ) throws(Failure) -> SeparationClearance {
        var answers = PersonalAnswers()
        if let reason = entry.attestationReason {
            answers.isAttested = try console.attests(reason)
        }
        // Who denied is refused before anything more is asked.
        if entry.attestationReason == nil || answers.isAttested, let doubt = entry.clockDoubt {
            answers.isClockConfirmed = try console.confirmsClock(doubt)
        }
        let given = answers
        return try authenticating { () throws(AuthenticatorError) in try clear(entry, given) }
    }
}

extension OneTimePasswords {
    /// CONTRACT §3 (`show`).
    fileprivate func json(now: Int64) -> JSONValue {
        var from: Int64?
        var until: Int64?
        var counter: Int64?
        switch current.validity {
        case .time(let start, let end):
            from = start
            until = end
        case .counter(let used): counter = Int64(used)
        }
        return [
            "token": [
                "id": .string(token.id), "name": .string(token.name),
                "issuer": JSONValue(token.issuer), "account": JSONValue(token.account),
                "serial": JSONValue(token.serial),
            ],
            "otp": .string(current.digits), "type": .string(token.typeName),
            "validFrom": JSONValue(from), "validUntil": JSONValue(until),
            "counter": JSONValue(counter),
            "pendingUntil": JSONValue(token.pendingUntil(atUnixSeconds: now)),
        ]
    }
}

extension Token {
    /// As JSON names it.
    var typeName: String {
        switch parameters.factor {
        case .time: "totp"
        case .counter: "hotp"
        }
    }
}
