// Everything that needs no PIN, in one value. Bound by CONTRACT §3 (`status`) and DESIGN §9: what is
// weak is said plainly.
import Device
import Keystore
import Linux

/// How the keystore, the device and this process stand.
public struct Status: Equatable, Sendable {
    /// The keystore's state, as JSON names it.
    public enum Keystore: String, Sendable {
        case none, locked, delayed, erased, damaged, foreign
        /// Files or folders of wrong owner or mode.
        case refused
    }

    public let keystore: Keystore
    /// Why no PIN is taken; nil where one is, or where there is no keystore.
    public let obstacle: AuthenticatorError?
    /// Nil unless a PIN would be taken.
    public let attemptsLeft: Int?
    /// Nil unless a PIN would be taken.
    public let attemptLimit: Int?
    /// An attempt record, or the log that vouches for it, is missing, altered or put back: one attempt
    /// is left.
    public let isAttemptRecordLost: Bool
    /// How long a delay lasts, seconds; 0 where none is in force.
    public let delaySeconds: Int
    /// When the delay ends, Unix seconds.
    public let retryAtUnixSeconds: Int64?
    /// `device-file` or `tpm2`; nil where there is no keystore.
    public let protector: String?
    /// What a thief would have to do, in a sentence.
    public let protection: String
    /// What would make him unable to: ``AuthenticatorError/Remedy-swift.enum/moveShare``, into a TPM;
    /// nil where a TPM has the share, or where there is no keystore.
    public let protectionRemedy: AuthenticatorError.Remedy?
    /// Whether this device is apart from those that send prescriptions.
    public let separation: Separation
    /// Whether the prescriber attested; nil unless a PIN would be taken.
    public let isAttested: Bool?
    /// Whether this is a login over the network; nil if it can't be told.
    public let isRemote: Bool?
    /// Whether the kernel calls the clock synchronized; nil if it doesn't say.
    public let isClockSynchronized: Bool?
    /// Whether guarded memory is locked here (`RLIMIT_MEMLOCK`).
    public let isMemoryLocked: Bool
    /// Whether this process could leave a memory image, or be read by another of the same user.
    public let allowsMemoryImages: Bool
    /// Whether a socket is refused, even one of this machine alone; tried, not remembered.
    public let isNetworkBlocked: Bool
    /// Whether files outside of the two folders are refused; tried, not remembered.
    public let areFilesConfined: Bool
    /// Whether the audit log fits its head; ``Authenticator/log()`` looks closer.
    public let isLogWhole: Bool
    /// The policy in force.
    public let policy: [PolicyRule]
    /// Why an administrator's file can't be used: every command but this one ends with it, and the
    /// policy is told as if that file were not there. Nil where all is well.
    public let administratorsProblem: AuthenticatorError?
}

/// Whether this device is apart from those that send prescriptions, and why. DESIGN §6.
public struct Separation: Equatable, Sendable {
    public enum Verdict: String, Sendable { case separate, unverified, same }

    public let verdict: Verdict
    /// What matches a record, by the names of CONTRACT §3.
    public let evidence: [String]
    /// One sentence: lower case, no full stop.
    public let reason: String
    /// What to do, in the same form; nil where there is nothing to do.
    public let advice: String?

    init(_ verdict: SeparationVerdict) {
        self.verdict =
            switch verdict {
            case .separate: .separate
            case .unverified: .unverified
            case .same: .same
            }
        evidence = verdict.evidenceNames
        reason = verdict.reason
        advice = verdict.advice
    }
}

extension Authenticator {
    /// Reads the status and closes the file sandbox.
    ///
    /// - Throws: `failed` where the state can't be told.
    public func status() throws(AuthenticatorError) -> Status { try status(comparesLater: true) }

    private func status(
        comparesLater: Bool, _ problem: AuthenticatorError? = nil
    ) throws(AuthenticatorError) -> Status {
        let facts = try flow.knownFacts()
        // What this device is can't be read any more once the sandbox is closed.
        let verdict = try flow.verdict(facts)
        let obstacle = ChipDevice.obstacle
        try confineFiles(comparesLater: comparesLater)
        return try flow.status(facts, verdict, obstacle, isLogWhole: flow.isLogWhole, problem)
    }

    /// The status, where opening the authenticator may fail: folders of wrong owner or mode are
    /// something to report.
    ///
    /// - Throws: as ``init(confinement:whenWaiting:)``, but for those.
    public static func status(
        confinement: Confinement
    ) throws(AuthenticatorError) -> Status {
        do throws(AuthenticatorError) {
            return try Authenticator(confinement: confinement).status(comparesLater: false)
        } catch {
            if case .configuration = error.cause {
                return try Authenticator(confinement: confinement, despite: error)
                    .status(comparesLater: false, error)
            }
            guard case .keystore(.problem(let problem)) = error.cause else { throw error }
            let flow = try Flow(
                without: try DeviceFacts.read(
                    sshConnection: environmentVariable("SSH_CONNECTION")))
            let facts = KeystoreFacts(.problem(problem))
            let verdict = try flow.verdict(facts)
            if confinement == .process {
                try fromSystem(try Sandbox.confineFiles(to: []))
            }
            return try flow.status(facts, verdict, nil, isLogWhole: true)
        }
    }
}

extension Flow {
    /// - Throws: what kept the keystore's state from being known.
    func knownFacts() throws(AuthenticatorError) -> KeystoreFacts {
        let facts = try facts()
        if facts.state == nil, let error = facts.error { throw .keystore(error) }
        return facts
    }

    func status(
        _ facts: KeystoreFacts, _ verdict: SeparationVerdict, _ obstacle: ChipTrouble?,
        isLogWhole: Bool, _ problem: AuthenticatorError? = nil
    ) throws(AuthenticatorError) -> Status {
        let now = try now()
        let isOpenable = facts.isOpenable
        return Status(
            keystore: facts.state ?? .none,
            obstacle: facts.error.map { .keystore($0) },
            attemptsLeft: isOpenable ? facts.attemptsLeft : nil,
            attemptLimit: isOpenable ? facts.attemptLimit : nil,
            isAttemptRecordLost: facts.isAttemptRecordLost, delaySeconds: facts.delaySeconds,
            retryAtUnixSeconds: facts.state == .delayed
                ? now.unixSeconds + Int64(facts.delaySeconds) : nil,
            protector: facts.protector?.name,
            protection: facts.protector?.isChip == true
                ? facts.chipsProtection(obstacle) : facts.protection(obstacle),
            protectionRemedy: isOpenable && facts.protector?.isChip == false ? .moveShare : nil,
            separation: Separation(verdict),
            isAttested: isOpenable ? facts.attestedUnixSeconds != nil : nil,
            isRemote: device.login.isRemote, isClockSynchronized: now.isSynchronized,
            isMemoryLocked: SecureBytes.isLockingAvailable(),
            allowsMemoryImages: ProcessGuard.allowsMemoryImages,
            isNetworkBlocked: Sandbox.isNetworkBlocked,
            areFilesConfined: Sandbox.areFilesConfined, isLogWhole: isLogWhole,
            policy: rules(facts), administratorsProblem: problem)
    }

    /// How long a display of a token may last, seconds: the stricter of all policies, and no longer
    /// than the token does.
    func sessionSeconds(
        _ session: borrowing Session, of token: Token
    ) throws(AuthenticatorError) -> Int {
        let limit = combined(session.keystore.publicSection).sessionLimitSeconds
        guard let expires = token.metadata.expiresUnixSeconds else { return limit }
        return min(limit, Int(clamping: max(1, expires - (try now().unixSeconds))))
    }
}

extension KeystoreFacts {
    /// What a thief would have to do, in a sentence.
    ///
    /// - Parameter obstacle: why the chip can't be opened now.
    func protection(_ obstacle: ChipTrouble?) -> String {
        guard isOpenable else { return "there is no keystore that a PIN opens" }
        let disk =
            "a copied home folder needs this machine's id and what names its disk, which any "
            + "program here can read"
        let home =
            switch binding {
            case .disk: disk
            case .guessableDisk:
                disk + ", and of which the partition's name can be guessed in hours: the disk has "
                    + "an MBR and tells no serial"
            case .machineID:
                "a copied home folder needs this machine's id alone, which file names in it may tell"
            case .nothing:
                "a copied home folder is enough, because this machine had no machine-id when the "
                    + "keystore was made"
            }
        return "a copied keystore file opens for no PIN; \(home); with that, or with the whole "
            + "disk, every PIN can be tried at Argon2id's price, and putting all files back "
            + "together is not noticed; \(withoutChip(obstacle))"
    }

    /// Why the share lies in a file, and that it need not.
    private func withoutChip(_ obstacle: ChipTrouble?) -> String {
        guard case .deviceFile(let trouble?)? = protector else {
            return "moving the share into a TPM ends that, where the computer has one"
        }
        let words = "the TPM, which would end that, was not used: \(trouble.reason)"
        // What stands in the way still comes first. Which group may is not the header's to say.
        switch (trouble, obstacle) {
        case (.absent, .absent?), (.notPermitted, .notPermitted?):
            let hint = obstacle?.hint.map { "; \($0)" } ?? ""
            return "\(words)\(hint), then move the share into it"
        default: return "\(words); moving the share into it tries again"
        }
    }
}

extension KeystoreFacts {
    /// The same of a keystore whose share the chip keeps.
    ///
    /// - Parameter obstacle: why the chip can't be opened now.
    fileprivate func chipsProtection(_ obstacle: ChipTrouble?) -> String {
        let tries = attemptLimit ?? 10
        let now =
            obstacle.map {
                "; now it can't be used: \($0.reason)" + ($0.hint.map { "; \($0)" } ?? "")
            }
            ?? ""
        return
            "this computer's TPM keeps the device's share and counts wrong PINs: copied files and a "
            + "stolen disk open for no PIN; a thief of this computer has \(tries) tries at most, "
            + "whatever else is put back; root, and who may open the TPM, can destroy the tokens, not "
            + "read them\(now)"
    }
}

extension LoginPlace {
    /// nil if it can't be told.
    fileprivate var isRemote: Bool? {
        switch self {
        case .atDevice: false
        case .remote: true
        case .untold, .container: nil
        }
    }
}
