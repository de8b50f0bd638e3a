// What a tester of locking looks for, tried with this very program as a user would run it, in
// throw-away folders: real files, real processes, real delays. A module of its own because it needs
// processes and files, which `softtoken` itself can't reach. Bound by CONTRACT §1 (`selftest`).
internal import Linux
public import SoftTokenCore

/// What one check found.
public struct SelfTestResult: Sendable {
    public enum Outcome: String, Sendable {
        case passed, failed
        /// This system has no way to try it; `seen` says why.
        case skipped
    }

    /// What must be so, as a sentence.
    public let name: String
    public let outcome: Outcome
    /// What was seen.
    public let seen: String
}

/// Makes every check, one after another; under a minute. Nothing of the user's is touched, and
/// nothing is left: Ctrl-C waits for the end of the check at hand, which takes out of a chip what it
/// made there.
///
/// - Parameters:
///   - report: is given each result as soon as it is there.
///   - complaint: is given the program's own words where it refuses to work here: on a prescribing
///     device, in a remote login.
/// - Throws: `AuthenticatorError`, with the program's exit code for that; with a signal's where one
///   ended it, between two checks; `inputOutput`.
public func runSelfTest(
    report: (SelfTestResult) -> Void, complaint: (String) -> Void
) throws(AuthenticatorError) {
    let end: Int32
    do throws(SystemError) { end = try makeChecks(report, complaint) } catch {
        throw AuthenticatorError(.inputOutput, "\(error.subject): \(error.reason)")
    }
    if end != 0 { throw AuthenticatorError(ExitStatus(rawValue: end), nil) }
}

/// - Returns: the exit code of what kept a check from being made; 0 if each was.
private func makeChecks(
    _ report: (SelfTestResult) -> Void, _ complaint: (String) -> Void
) throws(SystemError) -> Int32 {
    // The programs that are started inherit that signals are held back.
    let signals = try SignalQueue()
    let bench = try Bench()
    let home = bench.home("first")
    let end = try home.activate(SampleLink.ten)
    guard end.code == 0 else {
        complaint(end.complaint)
        return end.code
    }
    for check in checks {
        if let signal = signals.ending() { return signal.exitCode }
        report(try check.result(bench, home))
    }
    return 0
}

extension SignalQueue {
    /// A signal that is to end the program; nil if none has arrived.
    fileprivate borrowing func ending() -> Signal? {
        while let signal = next() {
            switch signal {
            case .interrupt, .quit, .terminate, .hangUp: return signal
            case .suspend, .resume, .resize: continue
            }
        }
        return nil
    }
}

/// One thing that must be so.
struct Check: Sendable {
    enum Finding {
        case passed(String)
        case failed(String)
        case skipped(String)

        /// Passed where it is so.
        init(_ isSo: Bool, _ seen: String) { self = isSo ? .passed(seen) : .failed(seen) }
    }

    let name: String
    /// Given the bench and a home with a token that has all its attempts, which stays so.
    let find: @Sendable (borrowing Bench, Home) throws(SystemError) -> Finding

    init(
        _ name: String,
        find: @escaping @Sendable (borrowing Bench, Home) throws(SystemError) -> Finding
    ) {
        self.name = name
        self.find = find
    }

    fileprivate func result(
        _ bench: borrowing Bench, _ home: Home
    ) throws(SystemError) -> SelfTestResult {
        switch try find(bench, home) {
        case .passed(let seen): SelfTestResult(name: name, outcome: .passed, seen: seen)
        case .failed(let seen): SelfTestResult(name: name, outcome: .failed, seen: seen)
        case .skipped(let why): SelfTestResult(name: name, outcome: .skipped, seen: why)
        }
    }
}

let checks = attemptChecks + chipChecks + deviceChecks + fileChecks + processChecks
