// What else a right PIN allows: the tokens, their names, the PIN, prescribing records, issuers.
// Bound by CONTRACT §1.
import Activation
import Device
import Keystore
import Linux

/// An issuer whose signing key is trusted.
public struct Issuer: Equatable, Sendable {
    /// The name, 1 to 64 bytes of UTF-8.
    public let name: String
    /// Its key's fingerprint, `XXXX-XXXX-XXXX-XXXX`.
    public let fingerprint: String
    /// The device's administrator trusts it, and it can't be removed here.
    public let isAdministrators: Bool
}

/// A keystore whose PIN was right, in use by this process and open for its next change.
///
/// No lock is held between the calls: each takes it, reads what others have written, changes, writes
/// and logs. It can't be copied; its end zeroizes its keys. It makes no OTP: each of those asks for
/// the PIN (``Authenticator/show(_:for:asking:)``).
public struct Unlocked: ~Copyable {
    private let flow: Flow
    fileprivate var session: Session

    init(_ flow: Flow, _ session: consuming Session) throws(AuthenticatorError) {
        self.flow = flow
        var session = session
        // The PIN was right: the count is reset, and what was found is in the log, before anything else
        // is asked or done.
        try flow.endUse(&session)
        self.session = session
    }

    /// The tokens, as of the last call.
    public var tokens: [Token] { session.tokens }

    /// The issuers that are trusted, the administrator's last.
    public var issuers: [Issuer] {
        session.issuers.map {
            Issuer(name: $0.name, fingerprint: $0.key.fingerprint(), isAdministrators: false)
        }
            + flow.device.issuers.map {
                Issuer(name: $0.name, fingerprint: $0.key.fingerprint(), isAdministrators: true)
            }
    }

    /// Gives a token another name.
    ///
    /// - Throws: `malformedAnswer` for a name that can't be one or is taken; `notFound`.
    public mutating func rename(_ token: Token, to name: String) throws(AuthenticatorError) {
        let name = try tokenName(name)
        try change(.rename, "renamed", of: token) { (keystore) throws(KeystoreError) in
            try keystore.rename(token.metadata.id, to: name)
        }
    }

    /// Removes a token. It can't be had back.
    public mutating func remove(_ token: Token) throws(AuthenticatorError) {
        try change(.remove, "removed", of: token) { (keystore) throws(KeystoreError) in
            try keystore.remove(token.metadata.id)
        }
    }

    /// Keeps the record of a computer that sends prescriptions: it is compared with at each use from
    /// then on.
    ///
    /// - Throws: exit code `prescribingDevice` for this device's own record, which is not kept.
    public mutating func forbid(_ record: PrescribingDeviceRecord) throws(AuthenticatorError) {
        try flow.checkIsAnotherDevice(record.record)
        try change(.device, AuditEntry.recordAdded) { (keystore) throws(KeystoreError) in
            try keystore.add(prescribingRecord: record.text)
        }
    }

    /// The issuers that trusting this key touches: those whose name looks like its own and that have
    /// another key, and its own key under another name.
    public func affected(by file: IssuerKeyFile) -> [Issuer] {
        let seen = file.name.asSeen.lowercased()
        return issuers.filter { issuer in
            issuer.fingerprint == file.fingerprint
                ? issuer.name != file.name : issuer.name.asSeen.lowercased() == seen
        }
    }

    /// Trusts the signing key of an issuer's file.
    public mutating func trust(_ file: IssuerKeyFile) throws(AuthenticatorError) {
        try change(.issuer, "a signing key was added") { (keystore) throws(KeystoreError) in
            try keystore.trust(TrustedIssuer(key: file.file.key, name: file.file.name))
        }
    }

    /// Trusts a signing key no longer.
    ///
    /// - Parameter fingerprint: in the spelling of ``Authenticator/fingerprint(_:)``.
    /// - Returns: the issuer.
    /// - Throws: `notFound` where it is not trusted, or by the administrator.
    public mutating func distrust(
        fingerprint: String
    ) throws(AuthenticatorError) -> Issuer {
        guard let issuer = session.issuers.first(where: { $0.key.fingerprint() == fingerprint })
        else {
            let isAdministrators = flow.device.issuers.contains {
                $0.key.fingerprint() == fingerprint
            }
            throw .init(isAdministrators ? .administratorsIssuer : .noSuchIssuer)
        }
        try change(.issuer, "a signing key was removed") { (keystore) throws(KeystoreError) in
            _ = keystore.distrust(issuer.key)
        }
        return Issuer(name: issuer.name, fingerprint: fingerprint, isAdministrators: false)
    }

    /// Asks for a new PIN and sets it. `person.given.protector` moves the share with it; a chip is
    /// reached only where ``Authenticator/unlock(asking:)`` was given the same.
    ///
    /// - Throws: `refused` for one that is easy to guess where nobody can be asked again.
    public mutating func setPIN(asking person: any Prescriber) throws(AuthenticatorError) {
        try set(try flow.newPIN(person), person.given.protector)
    }

    fileprivate mutating func set(
        _ pin: borrowing PINDigits, _ protector: ProtectorChoice?
    ) throws(AuthenticatorError) {
        let folders = session.folders
        let limit = flow.combined(session.keystore.publicSection).attemptLimit
        let detail = protector.map { "changed, protector: \($0.rawValue)" } ?? "changed"
        try change(.pin, detail) { (keystore) throws(KeystoreError) in
            try keystore.setPIN(
                pin, protector: protector?.wish, in: folders, policyLimit: limit)
        }
    }

    private mutating func change(
        _ event: AuditEvent, _ detail: String, of token: Token? = nil,
        _ body: (inout UnlockedKeystore) throws(KeystoreError) -> Void
    ) throws(AuthenticatorError) {
        let entry = AuditEntry(event, .ok, tokenID: token?.metadata.id, detail: detail)
        try flow.change(&session, logging: entry, body)
    }
}

extension Authenticator {
    /// Asks for the PIN and opens the keystore for changes.
    ///
    /// - Throws: the first refusal that applies (CONTRACT §2), or what the person throws.
    public func unlock(asking person: any Prescriber) throws(AuthenticatorError) -> Unlocked {
        let checks = try flow.check(.manage, answers: try flow.answers(person))
        try confineFiles()
        return try unlocked(checks, person) { .pin(attemptsLeft: $0) }
    }

    /// Gives a token another name; a taken one is asked for again.
    ///
    /// - Parameters:
    ///   - token: a TOKEN argument, as for ``show(_:for:asking:)``.
    ///   - name: 1 to 64 bytes of UTF-8.
    ///   - person: who answers.
    /// - Returns: the names before and after.
    public func rename(
        _ token: String, to name: String, asking person: any Prescriber
    ) throws(AuthenticatorError) -> (former: String, name: String) {
        var name = try tokenName(name)
        var unlocked = try unlock(asking: person)
        let chosen = try flow.chosen(token, &unlocked.session, person)
        while true {
            do throws(AuthenticatorError) {
                try unlocked.rename(chosen, to: name)
                return (chosen.name, name)
            } catch {
                guard person.canBeAsked, error.cause == .keystore(.nameTaken) else { throw error }
                name = try flow.name(suggested: chosen.name, person, after: error)
            }
        }
    }

    /// Removes a token after a yes. A script's answer is judged before its PIN is tried.
    ///
    /// - Returns: its name, and how many tokens are left. The keystore and its PIN stay without one.
    /// - Throws: `malformedAnswer` without a yes.
    public func remove(
        _ token: String, asking person: any Prescriber
    ) throws(AuthenticatorError) -> (name: String, tokensLeft: Int) {
        let checks = try flow.check(.manage, answers: try flow.answers(person))
        try confineFiles()
        var unlocked: Unlocked
        if person.canBeAsked {
            unlocked = try self.unlocked(checks, person) { .pin(attemptsLeft: $0) }
        } else {
            let pin = try flow.pin(.pin(attemptsLeft: checks.facts.attemptsLeftIfFewer), person)
            guard try person.answer(.removes(token: nil)) == .yes else {
                throw .init(.notConfirmed(.removing))
            }
            unlocked = try tried(pin, checks, person)
        }
        let chosen = try flow.chosen(token, &unlocked.session, person)
        if person.canBeAsked, try person.answer(.removes(token: chosen.name)) == .no {
            throw .init(.declined(.removing))
        }
        try unlocked.remove(chosen)
        return (chosen.name, unlocked.tokens.count)
    }

    /// Changes the PIN. A script's new PIN is judged before its current one is tried.
    public func changePIN(asking person: any Prescriber) throws(AuthenticatorError) {
        let checks = try flow.check(.manage, answers: try flow.answers(person))
        try confineFiles()
        guard person.typesPIN || person.given.drawsPIN else {
            let current = try flow.pin(
                .currentPIN(attemptsLeft: checks.facts.attemptsLeftIfFewer), person)
            let new = try flow.newPIN(person)
            // The count is reset before another Argon2id: a kill in it must not cost an attempt.
            var unlocked = try tried(current, checks, person)
            return try unlocked.set(new, person.given.protector)
        }
        var unlocked = try unlocked(checks, person) { .currentPIN(attemptsLeft: $0) }
        try unlocked.setPIN(asking: person)
    }

    /// Tries the one PIN that a script gave.
    private func tried(
        _ pin: borrowing PINDigits, _ checks: PassedChecks, _ person: any Prescriber
    ) throws(AuthenticatorError) -> Unlocked {
        let session = try flow.unlock(pin, checks)
        if session.wasPutBack { try person.hears(.keystorePutBack) }
        return try Unlocked(flow, session)
    }

    private func unlocked(
        _ checks: PassedChecks, _ person: any Prescriber, _ question: (Int?) -> SecretQuestion
    ) throws(AuthenticatorError) -> Unlocked {
        try Unlocked(
            flow,
            try flow.session(checks, person, question) { (pin) throws(AuthenticatorError) in
                try flow.unlock(pin, checks)
            })
    }
}
