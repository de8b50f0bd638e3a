// `softtoken status`: everything that needs no PIN; what is weak is said plainly.
// Bound by CONTRACT §3 and DESIGN §9.
import ArgumentParser
import Linux
import ProgramSupport
import SoftTokenCore

struct StatusCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Say how this device stands, without a PIN.")
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup(visibility: .hidden) var common: CommonOptions

    func execute(_ context: inout Context) throws(AuthenticatorError) {
        try PlainStatus(json: json).execute()
    }
}

/// What `status` was asked for.
struct PlainStatus: Equatable {
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

    func execute() throws(AuthenticatorError) {
        let status = try Authenticator.status(confinement: .process)
        if json {
            try output.json(status.json)
        } else {
            // The values stand in a column of their own.
            try output.words(status.lines, hanging: 12)
        }
        if let problem = status.administratorsProblem { throw problem }
    }
}

extension Status {
    /// CONTRACT §3 (`status`).
    fileprivate var json: JSON {
        [
            "version": .text(softtokenVersion), "keystore": .text(keystore.rawValue),
            "attemptsLeft": .number(attemptsLeft), "attemptLimit": .number(attemptLimit),
            "retryAt": .number(retryAtUnixSeconds), "protector": .text(protector ?? "none"),
            "protection": .text(protectionWords),
            "device": [
                "separation": .text(separation.verdict.rawValue),
                "reason": .text(separation.reason), "attested": .truth(isAttested),
            ],
            "remote": .truth(isRemote), "clock": ["synchronized": .truth(isClockSynchronized)],
            "memory": [
                "locked": .truth(isMemoryLocked), "coreDumps": .truth(allowsMemoryImages),
            ],
            "network": isNetworkBlocked ? "blocked" : "open",
            "files": areFilesConfined ? "confined" : "open",
            "log": isLogWhole ? "whole" : "altered",
            "policy": administratorsProblem == nil ? .object(policy.map(\.member)) : .null,
        ]
    }

    private var policyWords: String {
        guard administratorsProblem == nil else {
            return "not known: an administrator's file can't be used, and no command opens the "
                + "keystore until it is mended"
        }
        return policy.map(\.words).joined(separator: "; ")
    }

    fileprivate var lines: [String] {
        [
            "SoftToken \(softtokenVersion), not certified for EPCS",
            "keystore    \(keystoreLine)", "protection  \(protectionWords)",
            "device      \(separation.verdict.rawValue): \(separation.reason)\(attestationWords)",
            "login       \(remoteWords)", "policy      \(policyWords)",
            "clock       \(isClockSynchronized == true ? "synchronized" : clockWords)",
            "memory      \(isMemoryLocked ? "locked" : "not locked: raise the memlock limit")"
                + (allowsMemoryImages ? ", core dumps possible" : ", no core dumps"),
            "network     \(isNetworkBlocked ? "blocked" : "open: this kernel has no seccomp")",
            "files       "
                + (areFilesConfined
                    ? "confined to the two folders" : "open: this kernel has no Landlock"),
            "log         "
                + (isLogWhole
                    ? "whole at its end; softtoken log --verify checks all of it"
                    : "altered: run softtoken log --verify"),
        ]
    }

    /// With this program's command for what ends it.
    private var protectionWords: String {
        protection + (protectionRemedy.map { ": \($0.command) tpm2" } ?? "")
    }

    private var keystoreLine: String {
        // "locked" alone reads like locked out.
        var words = keystore == .locked ? "locked by its PIN" : keystore.rawValue
        if let reason = obstacle?.message {
            // "erased: too many wrong PINs: …" would say it twice.
            words = keystore == .erased ? reason : "\(words): \(reason)"
            if keystore == .refused, let hint = obstacle?.hint { words += "; \(hint)" }
        }
        if let left = attemptsLeft, let limit = attemptLimit {
            words += ", \(left) of \(limit) attempts left"
        }
        if isAttemptRecordLost {
            words +=
                isLogWhole
                ? " (an attempt record is missing, altered or put back)"
                : " (an attempt record or the log is missing, altered or put back)"
        }
        if keystore == .delayed { words += ", wait \(durationWords(delaySeconds))" }
        return words
    }

    private var clockWords: String {
        "not known to be right (no time service): compare it with a telephone's"
    }

    private var attestationWords: String {
        separation.verdict == .unverified && isAttested == true
            ? " (attested by the prescriber)" : ""
    }

    private var remoteWords: String {
        switch isRemote {
        case true?: "over the network: what asks for the PIN is refused unless policy allows it"
        case false?: "at this device"
        case nil: "can't be told"
        }
    }
}

extension PolicyRule {
    fileprivate var member: (String, JSON) {
        let json: JSON =
            switch value {
            case .number(let number): .number(number)
            case .word(let word): .text(word)
            case .truth(let truth): .truth(truth)
            }
        return (name.rawValue, ["value": json, "from": .text(source.rawValue)])
    }

    /// "10 attempts (default)".
    fileprivate var words: String {
        let rule: String =
            switch (name, value) {
            case (.attempts, .number(let number)): "\(number) attempts"
            case (.session, .number(let seconds)): "displays of \(seconds) s"
            case (.separation, .word(let word)): "separation: \(word)"
            case (.unsigned, .truth(let isAllowed)):
                "unsigned links \(isAllowed ? "allowed" : "refused")"
            case (.remote, .truth(let isAllowed)):
                "remote logins \(isAllowed ? "allowed" : "refused")"
            default: name.rawValue
            }
        return "\(rule) (\(source.rawValue))"
    }
}
