// What `verify` and `bind` have in common: the record, the OTPs on standard input, and what is said
// of the clock and the counter. Bound by CONTRACT §6, RFC 4226 §7, RFC 6238 §6.
import ArgumentParser
import Keystore
import Linux
import OTP

struct VerifierOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The records, a store or PSKC (RFC 6030); updated.", valueName: "file"))
    var records: String

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How far an OTP may be off: counters ahead (10) or time steps to each side (1).",
            valueName: "n"))
    var window: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The time to check at, instead of now.", valueName: "unix"))
    var at: Int64?

    @Option(
        help: ArgumentHelp(
            "A descriptor with the key of an encrypted file: hexadecimal, or its password.",
            valueName: "n"))
    var keyFd: Int32?

    @Option(help: ArgumentHelp("The same, for records of ours.", valueName: "n"))
    var recordsKeyFd: Int32?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Wrong OTPs in a row that lock a token of a store (10).", valueName: "n"))
    var attempts: Int64 = 10

    func validate() throws {
        guard keyFd == nil || recordsKeyFd == nil else {
            throw ValidationError("--key-fd and --records-key-fd are the same key")
        }
        try require(attempts, in: 1...100, "--attempts")
        if let window { try require(window, in: 0...100, "--window") }
        if let at { try require(at, in: 0...(1 << 53 - 1), "--at") }
    }
}

/// What was accepted.
struct AcceptedOTP: Sendable {
    let state: VerifierState
    /// Counters skipped, or steps away from where the token's clock was last seen.
    let moved: Int64

    /// The drift or the counter, for people and scripts.
    var text: String {
        switch state.parameters.factor {
        case .counter(let next): "counter \(next - 1), \(moved) skipped"
        case .time(let seconds):
            "drift \(signed(state.driftSteps)) steps (\(signed(state.driftSteps * Int64(seconds))) s)"
        }
    }
}

private func signed(_ number: Int64) -> String { number > 0 ? "+\(number)" : String(number) }

extension VerifierOptions {
    /// Takes an OTP from standard input; where it is too far off, the one after it too.
    ///
    /// The lock is not held while anybody types: each try reads the record anew.
    /// - Parameters:
    ///   - account: whom to bind the token to, if it is accepted.
    ///   - check: looks at whom it is bound to now.
    /// - Throws: `Failure`; 65 for an OTP that is not accepted.
    func accept(
        _ name: TokenName, account: String? = nil,
        check: (String?) throws(Failure) -> Void = { _ in }
    ) throws(Failure) -> AcceptedOTP {
        let secret = try RecordsSecret.read(from: keyFd ?? recordsKeyFd)
        let kind = RecordsKind(records)
        var missed = Failure(.rejected, "the one-time password is not accepted")
        func attempt(_ otps: [[UInt8]]) throws(Failure) -> AcceptedOTP? {
            let now: Int64
            if let at { now = at } else { now = try currentUnixSeconds() }
            let (verdict, hint) =
                switch kind {
                case .store: try storeVerdict(name, otps, secret, now, account, check)
                case .pskc: try fileVerdict(name, otps, secret, now, account, check)
                }
            missed = Failure(missed.status, missed.message, hint: hint)
            return try accepted(verdict)
        }
        let first = try otp(try line("one-time password"))
        if let accepted = try attempt([first]) { return accepted }
        guard let next = try Console.nextLine(asking: "the next one-time password") else {
            throw missed
        }
        guard let accepted = try attempt([first, try otp(next)]) else { throw missed }
        return accepted
    }

    private func accepted(_ verdict: OTPVerdict) throws(Failure) -> AcceptedOTP? {
        switch verdict {
        case .notFound: nil
        case .usedAlready:
            throw Failure(.rejected, "this one-time password, or a later one, was used already")
        case .accepted(let state, let moved): AcceptedOTP(state: state, moved: moved)
        }
    }

    private func storeVerdict(
        _ name: TokenName, _ otps: [[UInt8]], _ secret: RecordsSecret?, _ now: Int64,
        _ account: String?, _ check: (String?) throws(Failure) -> Void
    ) throws(Failure) -> (OTPVerdict, hint: String) {
        let session = try StoreSession(records, name, secret: secret, at: now)
        try check(session.account)
        let verdict = try session.verdict(
            otps, window: limits(session.factor), at: now, binding: account, limit: attempts)
        return (verdict, hintAfterMiss(session.factor, isHard: session.isHard))
    }

    private func fileVerdict(
        _ name: TokenName, _ otps: [[UInt8]], _ secret: RecordsSecret?, _ now: Int64,
        _ account: String?, _ check: (String?) throws(Failure) -> Void
    ) throws(Failure) -> (OTPVerdict, hint: String) {
        let session = try VerifierSession(records, name, secret: secret, at: now)
        try check(session.account)
        let verdict = try session.verdict(otps, window: limits(session.factor), at: now)
        if case .accepted(let state, _) = verdict {
            try session.remember(state, account: account)
        }
        return (verdict, hintAfterMiss(session.factor, isHard: session.isHard))
    }

    private func limits(_ factor: MovingFactor) -> OTPWindow {
        var limits = OTPWindow.standard(factor)
        limits.single = window ?? limits.single
        return limits
    }

    private func line(_ question: String) throws(Failure) -> [UInt8] {
        guard let line = try Console.nextLine(asking: question) else {
            throw Failure(.usage, "there is no one-time password on standard input")
        }
        return line
    }

    /// The digits, without the space that people put in the middle.
    private func otp(_ line: [UInt8]) throws(Failure) -> [UInt8] {
        let digits = line.filter { $0 != UInt8(ascii: " ") }
        guard (6...8).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) })
        else { throw Failure(.rejected, "a one-time password is 6 to 8 digits") }
        return digits
    }
}

/// What helps where an OTP isn't accepted: it depends on what moves the token, and on who can look at
/// its clock.
func hintAfterMiss(_ factor: MovingFactor, isHard: Bool) -> String {
    switch (factor, isHard) {
    case (.counter, true):
        "if its button was pressed often, press it twice and give both, each on its line"
    case (.counter, false):
        "if softtoken show was run often, run it twice and give both, each on its line"
    case (.time, true):
        "its clock may have drifted: give what it shows now and what it shows next, each on its line"
    case (.time, false):
        "compare the clocks of its device and of this computer, and give the one it shows now"
    }
}
