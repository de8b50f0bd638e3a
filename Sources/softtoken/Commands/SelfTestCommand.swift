// `softtoken selftest`: what a tester of locking looks for, tried with this very program, a line each.
// Bound by CONTRACT §1 (`selftest`).
import ArgumentParser
import ProgramSupport
import SelfTest
import SoftTokenCore

struct SelfTestCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "selftest", abstract: "Try on this device that the keystore locks.",
        discussion: """
            In throw-away folders, with real PINs, delays and damage; nothing of yours is touched. \
            Ends with 70 if a check failed.
            """)
    @Flag(help: "Print JSON.") var json = false

    func execute(_ context: inout Context) throws(AuthenticatorError) {
        var results: [SelfTestResult] = []
        try runSelfTest(
            report: { result in
                results.append(result)
                // At once, so that a minute doesn't pass in silence.
                if !json { try? output.words([result.line], hanging: 8) }
            }, complaint: { words in output.note(words) })
        let failed = results.count { $0.outcome == .failed }
        if json {
            try output.json([
                "passed": .truth(failed == 0), "checks": .array(results.map(\.json)),
            ])
        }
        guard failed > 0 else { return }
        throw AuthenticatorError(
            .fault, "\(failed) of \(results.count) checks failed",
            hint: "keep no token here, and tell those who gave you this program")
    }
}

extension SelfTestResult {
    fileprivate var line: String {
        let word = outcome == .failed ? "FAILED" : outcome.rawValue
        return "\(word)  \(name): \(seen)"
    }

    fileprivate var json: JSON {
        ["name": .text(name), "outcome": .text(outcome.rawValue), "seen": .text(seen)]
    }
}
