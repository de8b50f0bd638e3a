// One token of a records file, held under the lock from the reading to the last write, so that an
// OTP is accepted once by however many commands at once. Bound by RECORDS.md §3, RFC 4226 §7.2.
import Keystore
import Linux
import OTP
import SoftTokenCore

/// Which token is meant.
enum TokenName: Equatable, Sendable {
    case serial(String)
    case account(String)
}

/// One OTP, or two in a row, and what it is judged by.
struct OTPAttempt: Sendable {
    let otps: [[UInt8]]
    let window: OTPWindow
    let unixSeconds: Int64
    /// Whom to bind the token to, if the OTP is accepted.
    let account: String?
    /// How many wrong ones lock a token of a store.
    let limit: Int64
}

/// A token whose OTPs are judged: of a store, or of a PSKC file.
protocol TokenSession: ~Copyable {
    var record: TokenMetadata { get }
    borrowing func makeGenerator() throws(KeystoreError) -> CodeGenerator
    /// Has the OTPs judged by what the records say now, and writes what is to be remembered.
    borrowing func judge(
        _ attempt: OTPAttempt, by rule: (VerifierState) -> OTPVerdict
    ) throws(Failure) -> OTPVerdict
}

extension TokenSession where Self: ~Copyable {
    /// Judges an OTP and remembers it.
    borrowing func verdict(_ attempt: OTPAttempt) throws(Failure) -> OTPVerdict {
        var generator = try inMemory(try makeGenerator())
        let digits = record.state.parameters.digits
        return try judge(attempt) { state in
            check(
                attempt.otps, state: state, at: attempt.unixSeconds, window: attempt.window
            ) { first, count in
                generator.truncatedMACs(first: first, count: count).map(digits.digits(of:))
            }
        }
    }
}

/// A records file with one of its tokens.
struct VerifierSession: TokenSession, ~Copyable {
    private let lock: Descriptor
    private let file: Descriptor
    private let package: PSKCKeyPackage
    private let outline: PSKCOutline
    private let seed: Seed
    let record: TokenMetadata

    /// Opens the file and finds the token.
    ///
    /// - Parameter secret: what unlocks an encrypted file.
    /// - Throws: `Failure`; 66 where no token has this serial, 88 where its policy forbids it.
    init(
        _ path: String, _ name: TokenName, secret: RecordsSecret?, at unixSeconds: Int64
    ) throws(Failure) {
        let lock = try lockRecords(path)
        let file = try openRecords(path)
        let (package, outline) = try find(name, in: file, at: unixSeconds)
        let keyring = try sessionKeyring(outline.protection, secret, package.serial, path: path)
        let key = try ofToken(package.serial, try package.verifiable(keyring))
        self.lock = lock
        self.file = file
        (self.package, self.outline, record) = (package, outline, key.record)
        seed = key.takeSeed()
    }

    borrowing func makeGenerator() throws(KeystoreError) -> CodeGenerator {
        try CodeGenerator(seed: seed, algorithm: record.state.parameters.algorithm)
    }

    borrowing func judge(
        _ attempt: OTPAttempt, by rule: (VerifierState) -> OTPVerdict
    ) throws(Failure) -> OTPVerdict {
        let verdict = rule(record.state)
        if case .accepted(let state, _) = verdict {
            try remember(state, account: attempt.account)
        }
        return verdict
    }

    /// Writes what is to be remembered, and whom the token is now bound to.
    ///
    /// - Throws: `Failure`; the file is then as it was.
    borrowing func remember(_ state: VerifierState, account: String? = nil) throws(Failure) {
        var edits = package.edits(to: state)
        if let account, let edit = package.edit(toAccount: account) { edits.append(edit) }
        try change(file, outline, edits, serial: package.serial) { found in
            found.contains { changed in
                // What was written is plain, whatever the rest of the file is.
                changed.id == package.id && changed.account == account ?? package.account
                    && (try? changed.remembered(as: state)) == state
            }
        }
    }
}

/// The keyring of a records file: of ours where its key was given for that, else of a vendor's.
private func sessionKeyring(
    _ protection: PSKCProtection, _ secret: RecordsSecret?, _ serial: String, path: String
) throws(Failure) -> PSKCKeyring {
    if secret?.isOfOurs == true { return try recordsKeyring(protection, secret, path: path) }
    return try ofToken(serial, try vendorKeyring(protection, secret))
}

/// The keyring of a file; without a secret its plain values alone can be read.
func vendorKeyring(
    _ protection: PSKCProtection, _ secret: RecordsSecret?
) throws(Failure) -> PSKCKeyring {
    guard let secret, protection.isEncrypted else { return PSKCKeyring(protection) }
    return try PSKCKeyring(protection, unlockedWith: secret.bytes)
}

extension PSKCKeyPackage {
    /// What a verifier remembers, read from plain values; all else is as in `state`.
    fileprivate func remembered(as state: VerifierState) throws(Failure) -> VerifierState {
        let keyring = PSKCKeyring()
        var read = state
        switch state.parameters.factor {
        case .counter:
            let counter = try keyring.number(value("Counter"), named: "Counter") ?? -1
            guard counter >= 0 else { throw .malformedValue("Counter") }
            read.parameters.factor = .counter(UInt64(counter))
        case .time:
            read.lastStep = try keyring.number(value("Time"), named: "Time")
            guard let drift = try keyring.number(value("TimeDrift"), named: "TimeDrift") else {
                throw .malformedValue("TimeDrift")
            }
            read.driftSteps = drift
        }
        return read
    }

    func state(_ keyring: borrowing PSKCKeyring) throws(Failure) -> VerifierState {
        let parameters = try parameters(keyring)
        let lastStep = try keyring.number(value("Time"), named: "Time")
        let drift = try keyring.number(value("TimeDrift"), named: "TimeDrift") ?? 0
        guard drift.magnitude < 1 << 31 else { throw .malformedValue("TimeDrift") }
        return VerifierState(parameters: parameters, lastStep: lastStep, driftSteps: drift)
    }
}

/// The one serial of an account.
///
/// - Throws: `Failure`: 66, or 64 where it has several.
func theOne(_ serials: [String], account: String, path: String) throws(Failure) -> String {
    guard let serial = serials.first else {
        throw Failure(.notFound, "\(path) has no token of this account")
    }
    guard serials.allSatisfy({ $0 == serial }) else {
        throw .usage("\(path) has several tokens of this account", hint: "choose one with --serial")
    }
    return serial
}

/// The one key of a token that may be used now: a vendor's file may hold several, one a period
/// (RFC 6030, figure 10).
private func find(
    _ name: TokenName, in file: borrowing Descriptor, at unixSeconds: Int64
) throws(Failure) -> (PSKCKeyPackage, PSKCOutline) {
    var found: [PSKCKeyPackage] = []
    let outline = try readKeys(file) { package, _ in
        let isMeant =
            switch name {
            case .serial(let serial): package.serial == serial
            case .account(let account): package.account == account
            }
        if package.isToken, isMeant { found.append(package) }
    }
    if case .account(let account) = name {
        _ = try theOne(found.map(\.serial), account: account, path: file.path)
    }
    // Before anybody's OTP is taken: what is accepted has to be written.
    guard outline.encoding.holds([]) else {
        throw Failure(encoding: outline.encoding, of: file.path)
    }
    guard let first = found.first else { throw Failure(noSerialIn: file.path) }
    let usable = found.filter { $0.policy.allows(.verifying, at: unixSeconds) }
    guard usable.count <= 1 else {
        throw .rejected("\(file.path) has several keys of this serial")
    }
    let package = usable.first ?? first
    try ofToken(package.serial, try package.policy.check(for: .verifying, at: unixSeconds))
    return (package, outline)
}
