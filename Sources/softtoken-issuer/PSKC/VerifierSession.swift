// One token of a records file, held under the lock from the reading to the last write, so that an
// OTP is accepted once by however many commands at once. Bound by RECORDS.md §3, RFC 4226 §7.2.
import Keystore
import Linux
import OTP

/// A records file with one of its tokens.
struct VerifierSession: ~Copyable {
    private let lock: Descriptor
    private let file: Descriptor
    private let path: String
    private let package: PSKCKeyPackage
    private let outline: PSKCOutline
    private let seed: Seed
    private let state: VerifierState

    /// Opens the file and finds the token.
    ///
    /// - Parameter secret: what unlocks an encrypted file.
    /// - Throws: `Failure`; 66 where no token has this serial, 88 where its policy forbids it.
    init(
        _ path: String, _ name: TokenName, secret: RecordsSecret?, at unixSeconds: Int64
    ) throws(Failure) {
        let lock = try lockRecords(path)
        let file = try openRecords(path)
        let (package, outline) = try find(name, in: file, path: path, at: unixSeconds)
        let state: VerifierState
        let seed: Seed
        do throws(KeyProblem) {
            let keyring = try keyring(outline.protection, secret)
            state = try package.state(keyring)
            seed = try package.seed(keyring)
        } catch { throw Failure(error, serial: package.serial) }
        self.lock = lock
        self.file = file
        self.state = state
        self.seed = seed
        self.path = path
        self.package = package
        self.outline = outline
    }

    /// Whom the token is bound to.
    var account: String? { package.account }
    var digits: DigitCount { state.parameters.digits }
    var factor: MovingFactor { state.parameters.factor }
    var isHard: Bool { package.isHard }

    /// Judges one OTP, or two in a row.
    ///
    /// - Throws: `Failure` where there is no guarded memory.
    borrowing func verdict(
        _ otps: [[UInt8]], window: OTPWindow, at unixSeconds: Int64
    ) throws(Failure) -> OTPVerdict {
        var generator = try Failure.catching(Failure.init(_:)) { () throws(KeystoreError) in
            try CodeGenerator(seed: seed, algorithm: state.parameters.algorithm)
        }
        return check(otps, state: state, at: unixSeconds, window: window) { first, count in
            generator.truncatedMACs(first: first, count: count).map(digits.digits(of:))
        }
    }

    /// Writes what is to be remembered, and whom the token is now bound to.
    ///
    /// - Throws: `Failure`; the file is then as it was.
    borrowing func remember(_ state: VerifierState, account: String? = nil) throws(Failure) {
        var edits = package.edits(to: state)
        if let account, let edit = package.edit(toAccount: account) { edits.append(edit) }
        guard edits.allSatisfy({ outline.encoding.holds($0.bytes) }) else {
            throw Failure(encoding: outline.encoding, of: path)
        }
        let check = RecordsCheck(serial: package.serial)
        var target = try Failure.catching(Failure.init(_:)) { () throws(SystemError) in
            var target = try BufferedFile(path) { check.take($0) }
            try copy(file, with: edits, to: &target)
            try target.flush()
            return target
        }
        try requireChange(to: state, account, check)
        do throws(SystemError) { try target.place() } catch { throw Failure(error) }
    }

    /// Whether the new version says what was meant.
    ///
    /// - Throws: `Failure` (65).
    private borrowing func requireChange(
        to state: VerifierState, _ account: String?, _ check: RecordsCheck
    ) throws(Failure) {
        let found = try check.packages(count: outline.packageCount, path: path)
        let isChanged = found.contains { changed in
            // What was written is plain, whatever the rest of the file is.
            changed.id == package.id && changed.account == account ?? package.account
                && (try? changed.remembered(as: state)) == state
        }
        guard isChanged else { throw Failure(changing: path) }
    }
}

/// The keyring of a file; without a secret its plain values alone can be read.
func keyring(
    _ protection: PSKCProtection, _ secret: RecordsSecret?
) throws(KeyProblem) -> PSKCKeyring {
    guard let secret, protection.isEncrypted else { return PSKCKeyring(protection) }
    return try PSKCKeyring(protection, unlockedWith: secret.bytes)
}

extension PSKCKeyPackage {
    /// What a verifier remembers, read from plain values; all else is as in `state`.
    fileprivate func remembered(as state: VerifierState) throws(KeyProblem) -> VerifierState {
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

    func state(_ keyring: borrowing PSKCKeyring) throws(KeyProblem) -> VerifierState {
        let parameters = try parameters(keyring)
        let lastStep = try keyring.number(value("Time"), named: "Time")
        let drift = try keyring.number(value("TimeDrift"), named: "TimeDrift") ?? 0
        guard drift.magnitude < 1 << 31 else { throw .malformedValue("TimeDrift") }
        return VerifierState(parameters: parameters, lastStep: lastStep, driftSteps: drift)
    }
}

/// Which token is meant.
enum TokenName: Equatable, Sendable {
    case serial(String)
    case account(String)
}

/// The one serial of an account.
///
/// - Throws: `Failure`: 66, or 64 where it has several.
func theOne(_ serials: [String], account: String, path: String) throws(Failure) -> String {
    guard let serial = serials.first else {
        throw Failure(.missing, "\(path) has no token of this account")
    }
    guard serials.allSatisfy({ $0 == serial }) else {
        throw Failure(
            .usage, "\(path) has several tokens of this account", hint: "choose one with --serial")
    }
    return serial
}

/// The one key of a token that may be used now: a vendor's file may hold several, one a period
/// (RFC 6030, figure 10).
private func find(
    _ name: TokenName, in file: borrowing Descriptor, path: String, at unixSeconds: Int64
) throws(Failure) -> (PSKCKeyPackage, PSKCOutline) {
    var found: [PSKCKeyPackage] = []
    let outline: PSKCOutline
    do throws(PSKCError) {
        outline = try readPSKC(file) { package, _ in
            guard package.isToken else { return }
            let isMeant =
                switch name {
                case .serial(let serial): package.serial == serial
                case .account(let account): package.account == account
                }
            if isMeant { found.append(package) }
        }
    } catch { throw Failure(error, path: path) }
    if case .account(let account) = name {
        _ = try theOne(found.map(\.serial), account: account, path: path)
    }
    // Before anybody's OTP is taken: what is accepted has to be written.
    guard outline.encoding.holds([]) else {
        throw Failure(encoding: outline.encoding, of: path)
    }
    guard let first = found.first else {
        throw Failure(
            .missing, "\(path) has no token of this serial", hint: "it is on the token's back")
    }
    let usable = found.filter { package in
        (try? package.policy.check(for: .verifying, at: unixSeconds)) != nil
    }
    guard usable.count <= 1 else {
        throw Failure(.rejected, "\(path) has several keys of this serial")
    }
    if let package = usable.first { return (package, outline) }
    do throws(PolicyProblem) {
        try first.policy.check(for: .verifying, at: unixSeconds)
    } catch { throw Failure(.policy(error), serial: first.serial) }
    preconditionFailure("a key that is not usable has a reason")
}
