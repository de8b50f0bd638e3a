// The checks before any PIN, in the order of CONTRACT §2's precedence: 78, 80, 87, 81 (strict), 86,
// 84, 88, the keystore's state, 81 (attestation missing), 69, 75. What a person may still answer
// comes back as a question. Bound by DESIGN §1.6, §6, §7.
import Activation
import Device
import Keystore
import Linux

enum Purpose: Sendable {
    /// Take a link in; a keystore need not exist yet.
    case activate(VerifiedLink?)
    /// Make an OTP.
    case show
    /// Anything else that opens the keystore.
    case manage
}

/// What was said beforehand, by options.
struct Answers: Sendable {
    var isInteractive: Bool
    /// `--not-prescribing-device`.
    var isAttested = false
    /// `--clock-is` was given and is the day that this device's clock shows; nil: not given.
    var isClockConfirmed: Bool?
    /// `--trust-issuer`.
    var trustedFingerprint: String?
    /// A delay that is in force is waited out by who types the PIN, instead of a refusal.
    var waitsOutDelays = false
    /// `--protector`.
    var protector: ProtectorChoice?
}

/// What stands after the checks: the questions that only a person can answer.
struct PassedChecks: Sendable {
    let facts: KeystoreFacts
    let verdict: SeparationVerdict
    /// The link's, which the verdict is over, too.
    fileprivate let linkRecords: [String]
    /// The attestation has to be asked for, because of this.
    var attestationReason: UnverifiedReason?
    /// The clock has to be confirmed, because of this.
    var clockDoubt: ClockDoubt?
    /// The issuer's key is not trusted under the link's name; nil when it is, or the link is
    /// unsigned.
    var untrustedFingerprint: String?
    /// What is known of that key or name already.
    var issuerStanding = IssuerStanding.new
    /// An answer given by option that has to be logged.
    fileprivate(set) var isClockConfirmedByOption = false
    fileprivate(set) var isAttestedByOption = false

    // Only the checks below make one.
    fileprivate init(facts: KeystoreFacts, verdict: SeparationVerdict, linkRecords: [String]) {
        self.facts = facts
        self.verdict = verdict
        self.linkRecords = linkRecords
    }
}

extension Flow {
    /// Goes through the checks.
    ///
    /// - Throws: `AuthenticatorError`, the first that applies. Refusals are logged.
    func check(
        _ purpose: Purpose, answers: Answers
    ) throws(AuthenticatorError) -> PassedChecks {
        let facts = try facts(for: purpose.link)
        return try loggingRefusal(facts, try checked(purpose, answers: answers, facts: facts))
    }

    /// The checks that come before a file that the person named is looked for: what this device
    /// and its files are.
    ///
    /// - Throws: `AuthenticatorError`, the first that applies. Refusals are logged.
    func checkPlace(
        _ purpose: Purpose, answers: Answers
    ) throws(AuthenticatorError) {
        let facts = try facts()
        _ = try loggingRefusal(facts, try checkedPlace(purpose, answers: answers, facts: facts))
    }

    /// The check that comes even before a link is read: owners and modes.
    ///
    /// - Throws: `AuthenticatorError.keystore(.problem)`.
    func checkFiles() throws(AuthenticatorError) {
        if folders == nil {
            for path in [place.dataPath, place.statePath] {
                try inKeystore(try opening(try Directory.checkPlace(path)))
            }
        }
        try checkFiles(try facts())
    }

    private func checkFiles(_ facts: KeystoreFacts) throws(AuthenticatorError) {
        if case .problem(let problem)? = facts.error { throw .keystore(.problem(problem)) }
    }

    private func checked(
        _ purpose: Purpose, answers: Answers, facts: KeystoreFacts
    ) throws(AuthenticatorError) -> PassedChecks {
        var checks = try checkedPlace(purpose, answers: answers, facts: facts)
        try checkLink(purpose, answers: answers, &checks)
        try checkKeystore(purpose, facts: facts)
        let trouble = try protectorTrouble(purpose, answers, facts)
        if purpose.needsClearance { try checkAttestation(answers, &checks) }
        if let trouble { throw trouble }
        // A delay that begins anew has to be written down, or it would never end; the try does that,
        // under the lock, before it looks at the PIN.
        if facts.delaySeconds > 0, !facts.beginsDelayAnew, !answers.waitsOutDelays {
            throw .keystore(.delayed(seconds: facts.delaySeconds))
        }
        return checks
    }

    /// 78, 80, 87, 81 (strict) and 86.
    private func checkedPlace(
        _ purpose: Purpose, answers: Answers, facts: KeystoreFacts
    ) throws(AuthenticatorError) -> PassedChecks {
        try checkFiles(facts)
        let terms = purpose.link?.terms
        let linkRecords = terms?.prescribing ?? []
        let verdict = try self.verdict(facts, linkRecords: linkRecords)
        if case .same(let evidence) = verdict { throw .init(.sameDevice(evidence)) }
        try checkRemote()
        var checks = PassedChecks(facts: facts, verdict: verdict, linkRecords: linkRecords)
        if isPolicyUntold(facts) { throw .init(.policyNotTold) }
        if purpose.needsClearance {
            let policy = combined(facts.policy).combined(with: terms?.policy ?? TokenPolicy())
            if case .unverified(let reason) = verdict, policy.separation == .strict {
                throw .init(.separationNotVerified(reason))
            }
            try checkClock(purpose.link, answers: answers, &checks)
        }
        return checks
    }

    /// Whether the keystore may be an older copy, which has seen no policy, where a policy can be
    /// hidden. Whatever takes a PIN there would write it anew, as the newest.
    private func isPolicyUntold(_ facts: KeystoreFacts) -> Bool {
        facts.mayBeOlder && device.environment.canBeMadeUp
    }

    /// Whether the checks would pass the keystore that a PIN is about to be tried on as they passed
    /// the one that they saw: a prompt may wait for hours, and another may stand there by now.
    func areJudgedAlike(
        _ keystore: borrowing LockedKeystore, _ checks: PassedChecks
    ) throws(KeystoreError) -> Bool {
        let facts = try judged(keystore)
        guard let verdict = try? verdict(facts, linkRecords: checks.linkRecords) else {
            return false
        }
        return verdict == checks.verdict && !isPolicyUntold(facts)
            && facts.policy.separation == checks.facts.policy.separation
            && facts.seenPolicy == checks.facts.seenPolicy
    }

    /// Refuses what root decided otherwise since the checks.
    func refuseMeanwhile(
        _ folders: KeystoreFolders, _ lock: KeystoreLock
    ) throws(AuthenticatorError) {
        guard let refusal = refusalMeanwhile else { return }
        if let entry = refusal.entry, let now = try? reading().unixSeconds {
            try? AuditLog.append([entry], folders: folders, lock: lock, unixSeconds: now)
        }
        throw refusal
    }

    /// The refusal of a device that bears the marker by now, or whose administrator's files are not
    /// the ones that were read.
    var refusalMeanwhile: AuthenticatorError? {
        if device.isMarkerThere() {
            return .init(.sameDevice(SeparationEvidence(label: "", signs: [.marker])))
        }
        return device.isConfigurationAsRead() ? nil : .init(.configurationChanged)
    }

    /// The verdict over the keystore's records and a link's.
    func verdict(
        _ facts: KeystoreFacts, linkRecords: [String] = []
    ) throws(AuthenticatorError) -> SeparationVerdict {
        var records = facts.records
        for text in linkRecords {
            records.append(
                try onDevice(try PrescribingRecord(parsing: text)))
        }
        return try device.verdict(records: records, marker: device.marker)
    }

    /// Checks, before a PIN is asked for, that a record is not this device's own.
    func checkIsAnotherDevice(
        _ record: PrescribingRecord
    ) throws(AuthenticatorError) {
        let verdict = try device.verdict(records: [record], marker: .absent)
        guard case .same(let evidence) = verdict else { return }
        logOnce(
            AuditEntry(.device, .refused, detail: "the record to be forbidden is this device's"))
        throw .init(.recordOfThisDevice(evidence))
    }

    private func checkRemote() throws(AuthenticatorError) {
        if device.policy?.remote == true, !device.environment.canBeMadeUp { return }
        switch device.login {
        case .atDevice, .container: return
        case .remote: throw .init(.remoteLogin)
        case .untold: throw .init(.loginNotTold)
        }
    }

    private func checkClock(
        _ link: VerifiedLink?, answers: Answers, _ checks: inout PassedChecks
    ) throws(AuthenticatorError) {
        if answers.isClockConfirmed == false { throw .init(.clockContradicted) }
        let now = try now()
        guard now.isSynchronized != true,
            let doubt = clockDoubt(
                now.unixSeconds, link: link, baseline: checks.facts.baselineUnixSeconds)
        else { return }
        if answers.isClockConfirmed == true {
            checks.isClockConfirmedByOption = true
        } else if answers.isInteractive {
            checks.clockDoubt = doubt
        } else {
            throw .init(.clockUnconfirmed(doubt))
        }
    }

    /// CONTRACT §2, code 86: 300 s before the link's iat, or before the baseline.
    private func clockDoubt(
        _ now: Int64, link: VerifiedLink?, baseline: Int64?
    ) -> ClockDoubt? {
        let tolerance: Int64 = 300
        if let link, now < link.issuedAtUnixSeconds - tolerance {
            return .beforeLink(link.issuedAtUnixSeconds)
        }
        guard let baseline, now < baseline - tolerance else { return nil }
        return .beforeBaseline(baseline)
    }

    private func checkLink(
        _ purpose: Purpose, answers: Answers, _ checks: inout PassedChecks
    ) throws(AuthenticatorError) {
        guard case .activate(let link) = purpose else { return }
        guard let link else {
            guard device.policy?.unsigned != false, !checks.facts.seenPolicy.forbidsUnsigned
            else {
                throw .init(.unsignedLink)
            }
            return
        }
        guard try now().unixSeconds < link.expiresUnixSeconds else { throw .init(.linkExpired) }
        if try isUsed(link, folders) { throw .init(.linkUsed) }
        let trust = [device.trust(of: link), checks.facts.issuerTrust]
        guard !trust.contains(.trusted) else { return }
        checks.issuerStanding = IssuerStanding(trust)
        guard answers.trustedFingerprint != link.fingerprint else { return }
        guard answers.isInteractive else {
            throw .untrustedIssuer(fingerprint: link.fingerprint, checks.issuerStanding)
        }
        checks.untrustedFingerprint = link.fingerprint
    }

    private func isUsed(
        _ link: VerifiedLink, _ folders: KeystoreFolders?
    ) throws(AuthenticatorError) -> Bool {
        guard let folders else { return false }
        return try inKeystore(try UsedLinks.contains(link, folders))
    }

    private func checkKeystore(
        _ purpose: Purpose, facts: KeystoreFacts
    ) throws(AuthenticatorError) {
        if case .activate = purpose {
            // After an erasure, and where there is nothing, a new keystore is made.
            switch facts.error {
            case nil, .erased: return
            case let error?: throw .keystore(error)
            }
        }
        if let error = facts.error { throw .keystore(error) }
        guard facts.isOpenable else { throw .keystore(.missing) }
    }

    /// Checks that the share is there to be had, and that a chip can be reached that is to hold one.
    /// What is opened here stays open when the file sandbox closes.
    ///
    /// - Returns: what is told after what is graver: 69, 75, 64.
    /// - Throws: `AuthenticatorError.keystore(.foreignChip)`.
    private func protectorTrouble(
        _ purpose: Purpose, _ answers: Answers, _ facts: KeystoreFacts
    ) throws(AuthenticatorError) -> AuthenticatorError? {
        openChipInUse()
        do throws(KeystoreError) {
            if facts.protector?.isChip == true { try checkProtector() }
            if answers.protector == .tpm2 { try chip.open() }
        } catch {
            guard case .chip = error else { throw .keystore(error) }
            return .keystore(error)
        }
        guard case .activate = purpose else { return nil }
        if facts.isOpenable {
            let isKept = answers.protector.map { $0.rawValue == facts.protector?.name } ?? true
            return isKept ? nil : .init(.hasProtector)
        }
        // Without it the share is kept in a file; why, `create` finds out.
        if answers.protector == nil { try? chip.open() }
        return nil
    }

    private func checkProtector() throws(KeystoreError) {
        guard let folders else { return }
        // Under the lock: a new PIN in another process changes keystore and chip one after the other.
        try KeystoreLock.held(folders) { () throws(KeystoreError) in
            if case .locked(let keystore) = try examine(folders) { try keystore.checkProtector() }
        }
    }

    private func checkAttestation(
        _ answers: Answers, _ checks: inout PassedChecks
    ) throws(AuthenticatorError) {
        guard case .unverified(let reason) = checks.verdict,
            checks.facts.attestedUnixSeconds == nil || device.environment.canBeMadeUp
                || reason == .environment(.unreadable)
        else { return }
        if answers.isAttested {
            checks.isAttestedByOption = true
        } else if answers.isInteractive {
            checks.attestationReason = reason
        } else {
            throw .init(.attestationMissing(reason))
        }
    }
}

extension IssuerStanding {
    /// What is worst of what administrator and keystore know.
    fileprivate init(_ trust: [IssuerTrust]) {
        self =
            trust.contains(.otherKey) ? .otherKey : trust.contains(.otherName) ? .otherName : .new
    }
}

extension Purpose {
    fileprivate var link: VerifiedLink? {
        if case .activate(let link) = self { link } else { nil }
    }

    /// OTPs and tokens need the verdict shown or attested.
    fileprivate var needsClearance: Bool {
        switch self {
        case .activate, .show: true
        case .manage: false
        }
    }
}
