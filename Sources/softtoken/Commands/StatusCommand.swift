// `softtoken status`: everything that needs no PIN; what is weak is said plainly.
// Bound by CONTRACT §3 and DESIGN §9.
import Activation
import ArgumentParser
import Device
import Keystore
import Linux
import ProgramSupport
import SoftTokenCore

struct StatusCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Say how this device stands, without a PIN.")
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var common: CommonOptions

    func execute(_ context: inout Context) throws(Failure) {
        try Status(json: json).execute(context)
    }
}

/// What `status` says.
struct Status: Equatable {
    let json: Bool

    init(json: Bool) { self.json = json }

    /// The command as it is nearly always written; nil for any other arguments, which the parser
    /// judges. It is the one command that programs ask again and again and that no Argon2id makes
    /// slow, and the parser would take a third of its time (1 ms).
    init?(plainArguments arguments: [String]) {
        switch arguments {
        case ["status"]: self.init(json: false)
        case ["status", "--json"]: self.init(json: true)
        default: return nil
        }
    }

    func execute(_ context: borrowing Context) throws(Failure) {
        let status = try report(context)
        let sandbox = SandboxState.probe()
        if json { return try Output.json(status.json(sandbox)) }
        let lines = status.lines(sandbox)
        guard let columns = terminalColumns(1) else { return try Output.lines(lines) }
        // The values stand in a column of their own.
        try Output.lines(lines.flatMap { wrapped($0, columns: columns, hanging: 12) })
    }

    /// Reads the status and closes the sandbox. Folders of wrong owner or mode are something to
    /// report, not to fail at.
    private func report(_ context: borrowing Context) throws(Failure) -> StatusReport {
        do throws(Failure) {
            let authenticator = try context.authenticator()
            let status = try authenticating { () throws(AuthenticatorError) in
                try authenticator.status()
            }
            try confine(authenticator)
            try status.facts.checkIsKnown()
            return status
        } catch {
            guard case .authenticator(.keystore(.problem(let problem))) = error else {
                throw error
            }
            let status = try authenticating { () throws(AuthenticatorError) in
                try Authenticator.refusedStatus(
                    problem, sshConnection: environmentVariable("SSH_CONNECTION"))
            }
            _ = try running { () throws(SystemError) in try Sandbox.confineFiles(to: []) }
            return status
        }
    }
}

extension KeystoreFacts {
    /// - Throws: what kept the keystore's state from being known: it is not `none` then.
    func checkIsKnown() throws(Failure) {
        if state == .none, let error { throw .authenticator(.keystore(error)) }
    }
}

/// What the sandbox really does here, tried and not remembered.
private struct SandboxState {
    let dumpsCore: Bool
    let isNetworkBlocked: Bool
    let areFilesConfined: Bool

    static func probe() -> SandboxState {
        SandboxState(
            dumpsCore: ProcessGuard.allowsMemoryImages,
            isNetworkBlocked: Sandbox.isNetworkBlocked,
            areFilesConfined: Sandbox.areFilesConfined)
    }
}

extension StatusReport {
    /// CONTRACT §3 (`status`).
    fileprivate func json(_ sandbox: SandboxState) -> JSONValue {
        let opens = facts.isOpenable
        return [
            "version": .string(softtokenVersion), "keystore": .string(facts.state.rawValue),
            "attemptsLeft": JSONValue(opens ? facts.attemptsLeft : nil),
            "attemptLimit": JSONValue(opens ? facts.attemptLimit : nil),
            "retryAt": JSONValue(retryAtUnixSeconds),
            "protector": .string(facts.protector?.name ?? "none"),
            "protection": .string(protection),
            "device": [
                "separation": .string(verdict.name), "reason": .string(verdict.reason),
                "attested": opens ? .bool(facts.attestedUnixSeconds != nil) : .null,
            ],
            "remote": JSONValue(isRemote),
            "clock": ["synchronized": JSONValue(isClockSynchronized)],
            "memory": ["locked": .bool(isMemoryLocked), "coreDumps": .bool(sandbox.dumpsCore)],
            "network": sandbox.isNetworkBlocked ? "blocked" : "open",
            "files": sandbox.areFilesConfined ? "confined" : "open",
            "log": isLogWhole ? "whole" : "altered",
        ]
    }

    fileprivate func lines(_ sandbox: SandboxState) -> [String] {
        [
            "SoftToken \(softtokenVersion), not certified for EPCS",
            "keystore    \(keystoreLine)", "protection  \(protection)",
            "device      \(verdict.name): \(verdict.reason)\(attestationWords)",
            "login       \(remoteWords)",
            "clock       \(isClockSynchronized == true ? "synchronized" : clockWords)",
            "memory      \(isMemoryLocked ? "locked" : "not locked: raise the memlock limit")"
                + (sandbox.dumpsCore ? ", core dumps possible" : ", no core dumps"),
            "network     \(sandbox.isNetworkBlocked ? "blocked" : "open: this kernel has no seccomp")",
            "files       "
                + (sandbox.areFilesConfined
                    ? "confined to the two folders" : "open: this kernel has no Landlock"),
            "log         "
                + (isLogWhole
                    ? "whole at its end; softtoken log --verify checks all of it"
                    : "altered: run softtoken log --verify"),
        ]
    }

    private var keystoreLine: String {
        var words = facts.state.rawValue
        if let error = facts.error?.message.error {
            // "erased: too many wrong PINs: …" would say it twice.
            words = facts.state == .erased ? error : "\(words): \(error)"
        }
        if let left = facts.attemptsLeft, let limit = facts.attemptLimit {
            words += ", \(left) of \(limit) attempts left"
        }
        if facts.isAttemptRecordLost {
            words += " (one of the two attempt records is missing or altered)"
        }
        if facts.state == .delayed { words += ", wait \(duration(facts.delaySeconds))" }
        return words
    }

    private var clockWords: String {
        "not known to be right (no time service): compare it with a telephone's"
    }

    private var attestationWords: String {
        guard case .unverified = verdict else { return "" }
        return facts.attestedUnixSeconds == nil ? "" : " (attested by the prescriber)"
    }

    private var remoteWords: String {
        switch isRemote {
        case true?: "over the network: softtoken show is refused unless policy allows it"
        case false?: "at this device"
        case nil: "can't be told"
        }
    }
}
