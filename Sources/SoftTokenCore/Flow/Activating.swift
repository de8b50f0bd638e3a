// Taking a link in: its box is opened, its issuer trusted, its token named and kept, the link
// remembered. Bound by DESIGN §7, CONTRACT §4 and 21 CFR 1311.105(c).
import Activation
import Keystore
import Linux

extension Flow {
    /// The key of this device's living enrolment request, for a link sealed to this device.
    ///
    /// - Throws: `AuthenticatorError.activation(.sealedToAnotherDevice)` if there is none.
    func requestKey() throws(AuthenticatorError) -> RequestKey {
        let now = try now().unixSeconds
        guard let folders,
            let key = try inKeystore(try RequestFile.read(folders.state, unixSeconds: now))
        else { throw .activation(.sealedToAnotherDevice) }
        return key
    }

    /// This device's enrolment request: the living one, or a new one.
    ///
    /// - Parameter isRenewed: replaces a living one.
    mutating func request(
        isRenewed: Bool
    ) throws(AuthenticatorError) -> EnrolmentRequest {
        try makeFolders()
        let now = try now().unixSeconds
        return try inKeystore { () throws(KeystoreError) in
            guard let folders else { throw .missing }
            return try KeystoreLock.held(folders) { () throws(KeystoreError) in
                if !isRenewed,
                    let key = try RequestFile.read(folders.state, unixSeconds: now)
                {
                    return EnrolmentRequest(publicKey: key.publicKey)
                }
                let key = try RequestKey()
                try RequestFile.write(key, in: folders.state, unixSeconds: now)
                return EnrolmentRequest(publicKey: key.publicKey)
            }
        }
    }

    /// Logs that a link could not be opened: a wrong code, none, or another device's.
    func reject(_ error: ActivationError) {
        let detail =
            switch error {
            case .wrongCode: "a wrong activation code"
            case .malformedCode: "what was typed is no activation code"
            case .sealedToAnotherDevice: "a link that is sealed to another device"
            default: "a link that could not be opened"
            }
        logOnce(AuditEntry(.activate, .rejected, detail: detail))
    }

    /// Makes a new keystore's keys; the keystore itself is written with its first token.
    ///
    /// - Parameter protector: who is to keep the share; nil for the chip where it counts as it must.
    /// - Throws: `AuthenticatorError.easyPIN`, `.sameDevice`, `.keystore`.
    mutating func create(
        _ pin: borrowing PINDigits, policy: TokenPolicy, protector: ProtectorChoice? = nil,
        _ clearance: borrowing SeparationClearance
    ) throws(AuthenticatorError) -> Session {
        guard !pin.isEasyToGuess else { throw .init(.easyPIN) }
        try makeFolders()
        let limit = combined(policy).attemptLimit
        guard let folders else { throw .keystore(.missing) }
        let lock = try inKeystore(try KeystoreLock.take(folders))
        try refuseMeanwhile(folders, lock)
        return try inKeystore { () throws(KeystoreError) in
            // Another command may have made one while this one asked.
            guard try examine(folders).isFree else { throw .changed }
            // What a cut creation left: no keystore holds its token, so that its link is unused.
            try UsedLinks.recover(folders, tokens: [])
            // From here on a log without its head or key is one that was removed.
            _ = try AuditLog.key(folders)
            let keystore = try UnlockedKeystore.create(
                pin, folders: folders, lock: lock, machineID: device.machineID(),
                policyLimit: limit, vouched: try AuditLog.vouched(folders),
                protector: protector?.wish ?? .chipIfItCounts, clock: clock)
            var session = Session(
                keystore: keystore, lock: lock, folders: folders, wasPutBack: false)
            // From here on records of another keystore beside this log are ones that were put there.
            try append([], &session, lock)
            keepSeenPolicy(&session, lock)
            return session
        }
    }

    /// Keeps an opened enrolment as a token.
    ///
    /// - Parameters:
    ///   - link: the signed link that it came from; nil for an otpauth link.
    ///   - trusted: the issuer to be trusted from now on.
    /// - Returns: the token.
    /// - Throws: `AuthenticatorError.linkUsed`, `.linkExpired`, `.untrustedIssuer` (each meanwhile),
    ///   `.keystore(.nameTaken)`, `.keystore`; then nothing is used up.
    func activate(
        _ session: inout Session, _ enrolment: consuming Enrolment, from link: VerifiedLink?,
        named name: String, trusting trusted: TrustedIssuer?,
        _ clearance: borrowing SeparationClearance
    ) throws(AuthenticatorError) -> Token {
        let now = try now().unixSeconds
        let token = enrolment.newToken(named: name, unixSeconds: now)
        let records = enrolment.terms.prescribing
        let attestedUnixSeconds = clearance.attestedUnixSeconds
        let saidNow = clearance.entries
        let isNew = session.tokens.isEmpty && session.keystore.isUnwritten
        let seed = enrolment.takeSeed()
        var id: UInt64 = 0
        var refusal: AuthenticatorError?
        try changing(&session) { (session, lock) throws(KeystoreError) in
            // Under the lock: the questions may have taken hours, and others may have been at work.
            refusal = try link.flatMap { (link) throws(KeystoreError) in
                try refusalNow(of: link, trusting: trusted, session)
            }
            if let refusal { return [refusal.entry].compactMap(\.self) }
            id = try session.keystore.add(token, seed: seed)
            for record in records { try session.keystore.add(prescribingRecord: record) }
            if let trusted { try session.keystore.trust(trusted) }
            // With a keystore that was there before they were kept when its PIN was right.
            var entries = isNew ? saidNow : []
            if isNew, let attestedUnixSeconds {
                try session.keystore.keepAttestation(
                    session.folders, unixSeconds: attestedUnixSeconds)
            }
            if let link {
                entries += try saveRemembering(link, id, &session, lock, unixSeconds: now)
            } else {
                try save(&session, lock)
            }
            // A tombstone that can't be removed names another device, and is not believed here.
            if isNew { try? session.keystore.removeTombstone(session.folders) }
            if trusted != nil {
                entries.append(AuditEntry(.issuer, .ok, detail: AuditEntry.keyTrusted))
            }
            entries.append(
                AuditEntry(
                    .activate, .ok, tokenID: id,
                    detail: link == nil ? "unsigned link" : AuditEntry.signedLink))
            return entries
        }
        if let refusal { throw refusal }
        guard let kept = session.tokens.first(where: { $0.metadata.id == id }) else {
            throw .keystore(.tokenMissing)
        }
        return kept
    }

    /// What speaks against a signed link now, whatever did at the checks.
    private func refusalNow(
        of link: VerifiedLink, trusting trusted: TrustedIssuer?, _ session: borrowing Session
    ) throws(KeystoreError) -> AuthenticatorError? {
        if try UsedLinks.contains(link, session.folders, named: session.keystore.usedLinks) {
            return .init(.linkUsed)
        }
        if try reading().unixSeconds >= link.expiresUnixSeconds { return .init(.linkExpired) }
        let issuer = TrustedIssuer(key: link.key, name: link.issuer)
        let isTrusted =
            trusted == issuer || device.trust(of: link) == .trusted
            || session.issuers.contains(issuer)
        return isTrusted ? nil : .untrustedIssuer(fingerprint: link.fingerprint)
    }

    /// Saves the keystore with the link's being used beside it on the disk already: what can fail
    /// fails before the token is there, and then nothing is used up. From a save that failed or was
    /// killed on, the next right PIN decides whether it is.
    private func saveRemembering(
        _ link: VerifiedLink, _ id: UInt64, _ session: inout Session, _ lock: KeystoreLock,
        unixSeconds: Int64
    ) throws(KeystoreError) -> [AuditEntry] {
        var used = try UsedLinks.prepare(
            link, tokenID: id, tokens: session.keystore.tokens, named: session.keystore.usedLinks,
            folders: session.folders, unixSeconds: unixSeconds)
        session.keystore.usedLinks = used.generation
        try save(&session, lock)
        session.usedLinks = used.generation
        var entries: [AuditEntry] = []
        do throws(SystemError) {
            try used.replace(session.folders)
        } catch {
            entries.append(
                AuditEntry(
                    .activate, .failed, detail: "the link could not be remembered as used yet"))
        }
        if case .device = link.box { try? RequestFile.remove(session.folders.state) }
        if !used.wasWhole {
            entries.append(
                AuditEntry(
                    .tamper, .failed,
                    detail: "the used links were missing or altered: begun anew"))
        }
        return entries
    }
}

extension ProtectorChoice {
    /// As the keystore takes it.
    var wish: ProtectorWish {
        switch self {
        case .deviceFile: .deviceFile
        case .tpm2: .chip
        }
    }
}

extension Enrolment {
    fileprivate borrowing func newToken(named name: String, unixSeconds: Int64) -> NewToken {
        NewToken(
            name: name, issuer: identity.issuer, account: identity.account, serial: identity.serial,
            parameters: parameters, activatedUnixSeconds: unixSeconds,
            pendingUntilUnixSeconds: terms.pendingSeconds > 0
                ? min(unixSeconds + Int64(terms.pendingSeconds), JSONValue.integers.upperBound)
                : nil,
            // 0 stands for none on disk: a token that expired before 1970 has expired.
            expiresUnixSeconds: terms.expiresUnixSeconds.map { max($0, 1) },
            origin: origin, warnings: warnings, policy: terms.policy)
    }
}
