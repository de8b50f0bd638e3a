// What `verify` and `bind` have in common: the record, the OTPs on standard input, and what is said
// of the clock and the counter. Bound by CONTRACT §6, RFC 4226 §7, RFC 6238 §6.
import ArgumentParser
import Linux
import OTP
import ProgramSupport
import SoftTokenCore

struct VerifierOptions: ParsableArguments {
    @Option(help: .taking("file", "The records, a store or PSKC (RFC 6030); updated."))
    var records: String

    @Option(
        parsing: .unconditional,
        help: .taking(
            "n", "How far an OTP may be off: counters ahead (10) or time steps to each side (1)."))
    var window: Int?

    @Option(parsing: .unconditional, help: .taking("unix", "The time to check at, instead of now."))
    var at: Int64?

    @Option(
        help: .taking(
            "n", "A descriptor with the key of an encrypted file: hexadecimal, or its password."))
    var keyFd: Int32?

    @Option(help: .taking("n", "The same, for records of ours."))
    var recordsKeyFd: Int32?

    @Option(
        parsing: .unconditional,
        help: .taking("n", "Wrong OTPs in a row that lock a token of a store (10)."))
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

extension VerifierOptions {
    /// Takes an OTP from standard input; where it is too far off, the one after it too.
    ///
    /// The lock is not held while anybody types: each try reads the record anew.
    ///
    /// - Parameters:
    ///   - account: whom to bind the token to, if it is accepted.
    /// - Returns: the drift or the counter, for people and scripts.
    /// - Throws: `Failure`; 65 for an OTP that is not accepted, 88 for a token that is bound to another
    ///   account.
    func accept(_ name: TokenName, account: String? = nil) throws(Failure) -> String {
        let secret = try RecordsSecret.read(
            from: keyFd ?? recordsKeyFd, isOfOurs: keyFd == nil)
        // Whoever types hears first that there is no such token, several, or one that has ended.
        if isTerminal(0) { _ = try token(name, secret, account, at: try now()) }
        var otps: [[UInt8]] = []
        var hint: String?
        for question in ["one-time password", "the next one-time password"] {
            guard let otp = try nextOTP(asking: question) else { break }
            otps.append(otp)
            let now = try now()
            let token = try token(name, secret, account, at: now)
            hint = hintAfterMiss(
                token.record.state.parameters.factor, isHard: token.record.isHard)
            let verdict = try token.verdict(
                OTPAttempt(
                    otps: otps, window: window, unixSeconds: now, account: account,
                    limit: attempts))
            if let text = try verdict.text { return text }
        }
        guard !otps.isEmpty else {
            throw .usage("there is no one-time password on standard input")
        }
        throw .rejected("the one-time password is not accepted", hint: hint)
    }

    private func now() throws(Failure) -> Int64 {
        if let at { at } else { try currentSeconds() }
    }

    private func token(
        _ name: TokenName, _ secret: RecordsSecret?, _ account: String?, at unixSeconds: Int64
    ) throws(Failure) -> any JudgedToken {
        let token = try openToken(records, name, secret: secret, at: unixSeconds)
        try token.record.check(bindingTo: account)
        return token
    }

    /// The digits, without the space that people put in the middle; nil at the end of the input.
    private func nextOTP(asking question: String) throws(Failure) -> [UInt8]? {
        guard let line = try nextLine(asking: question) else { return nil }
        let digits = line.filter { $0 != UInt8(ascii: " ") }
        guard (6...8).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) })
        else { throw .rejected("a one-time password is 6 to 8 digits") }
        return digits
    }
}

extension OTPVerdict {
    /// The drift or the counter of what was accepted; nil for what wasn't found.
    ///
    /// - Throws: `Failure` (65): it was used already.
    fileprivate var text: String? {
        get throws(Failure) {
            switch self {
            case .notFound: return nil
            case .usedAlready:
                throw .rejected("this one-time password, or a later one, was used already")
            case .accepted(let state, let moved):
                switch state.parameters.factor {
                case .counter(let next): return "counter \(next - 1), \(moved) skipped"
                case .time(let seconds):
                    let drift = state.driftSteps
                    return "drift \(signed(drift)) steps (\(signed(drift * Int64(seconds))) s)"
                }
            }
        }
    }
}

private func signed(_ number: Int64) -> String { number > 0 ? "+\(number)" : String(number) }

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
