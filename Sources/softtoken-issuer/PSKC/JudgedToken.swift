// One token of the records and whether an OTP is its own. In a PSKC file it is held under the file's
// lock from the reading to the last write, so that an OTP is accepted once by however many commands at
// once. Bound by RECORDS.md §3, RFC 4226 §7.2.
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
    /// How far off a single one may be; nil for the usual.
    let window: Int?
    let unixSeconds: Int64
    /// Whom to bind the token to, if the OTP is accepted.
    let account: String?
    /// How many wrong ones lock a token of a store.
    let limit: Int64
}

/// A token whose OTPs are judged: of a store, or of a PSKC file that is held.
protocol JudgedToken: AnyObject {
    /// As it was found.
    var record: TokenMetadata { get }
    /// Judges OTPs by what the records say now, and writes what is to be remembered.
    func verdict(_ attempt: OTPAttempt) throws(Failure) -> OTPVerdict
}

/// Finds a token and opens its seed.
///
/// - Parameter secret: what unlocks encrypted records.
/// - Throws: `Failure`; 66 where no token has this name, 64 where several have, 85 and 88 where its
///   policy forbids it.
func openToken(
    _ path: String, _ name: TokenName, secret: RecordsSecret?, at unixSeconds: Int64
) throws(Failure) -> any JudgedToken {
    switch RecordsKind(path) {
    case .store: try StoreTries(path, name, secret: secret, at: unixSeconds)
    case .pskc: try HeldRecords(path, name, secret: secret, at: unixSeconds)
    }
}

extension VerifiableKey {
    /// Judges OTPs by what is remembered of the token.
    ///
    /// - Throws: `Failure`; 88 where it is bound to another account.
    func verdict(_ attempt: OTPAttempt) throws(Failure) -> OTPVerdict {
        try record.check(bindingTo: attempt.account)
        let parameters = record.state.parameters
        var window = OTPWindow.standard(parameters.factor)
        window.single = attempt.window ?? window.single
        var generator = try inMemory(
            try CodeGenerator(seed: seed, algorithm: parameters.algorithm))
        return check(
            attempt.otps, state: record.state, at: attempt.unixSeconds, window: window
        ) { first, count in
            generator.truncatedMACs(first: first, count: count).map(parameters.digits.digits(of:))
        }
    }
}

/// A PSKC file under its lock, and one of its keys.
final class HeldRecords: JudgedToken {
    private let lock: Descriptor
    private let file: Descriptor
    private let package: PSKCKeyPackage
    private let outline: PSKCOutline
    private let key: VerifiableKey
    var record: TokenMetadata { key.record }

    /// Finds the one key of a token that may be used now (a vendor's file may hold several, one a
    /// period: RFC 6030, figure 10), and opens it with a keyring for records of ours where the secret
    /// was given for that, else with a vendor's.
    init(
        _ path: String, _ name: TokenName, secret: RecordsSecret?, at unixSeconds: Int64
    ) throws(Failure) {
        lock = try lockRecords(path)
        file = try openRecords(path)
        let found: [PSKCKeyPackage]
        (found, outline) = try keys(name, in: file, at: unixSeconds)
        let usable = found.filter { $0.policy.allows(.verifying, at: unixSeconds) }
        guard usable.count <= 1 else {
            throw .rejected("\(file.path) has several keys of this serial")
        }
        package = usable.first ?? found[0]
        try ofToken(package.serial, try package.policy.check(for: .verifying, at: unixSeconds))
        let keyring =
            secret?.isOfOurs == true
            ? try recordsKeyring(outline.protection, secret, path: path)
            : try ofToken(package.serial, try vendorKeyring(outline.protection, secret))
        key = try ofToken(package.serial, try package.verifiable(keyring))
    }

    func verdict(_ attempt: OTPAttempt) throws(Failure) -> OTPVerdict {
        let verdict = try key.verdict(attempt)
        if case .accepted(let state, _) = verdict {
            try remember(state, account: attempt.account)
        }
        return verdict
    }

    /// Writes what is to be remembered, and whom the token is now bound to.
    ///
    /// - Throws: `Failure`; the file is then as it was.
    func remember(_ state: VerifierState, account: String? = nil) throws(Failure) {
        var edits = package.edits(to: state)
        if let account, let edit = package.edit(toAccount: account) { edits.append(edit) }
        try change(file, outline, edits, serial: package.serial) { found in
            found.contains { changed in
                changed.id == package.id && changed.account == account ?? package.account
                    && changed.holds(state)
            }
        }
    }
}

/// The keyring of a file; without a secret its plain values alone can be read.
func vendorKeyring(
    _ protection: PSKCProtection, _ secret: RecordsSecret?
) throws(Failure) -> PSKCKeyring {
    guard let secret, protection.isEncrypted else { return PSKCKeyring(protection) }
    return try PSKCKeyring(protection, unlockedWith: secret.bytes)
}

/// The one serial of an account.
///
/// - Parameter ended: those that can't be used now: one stands for its reason where there is no other.
func theOne(
    _ usable: [String], ended: [String], account: String, path: String
) throws(Failure) -> String {
    guard let serial = usable.first ?? ended.first else {
        throw Failure(.notFound, "\(path) has no token of this account")
    }
    let others = Set(usable).subtracting([serial])
    guard others.isEmpty else {
        let named = [serial] + others.sorted().prefix(3) + (others.count > 3 ? ["..."] : [])
        throw .usage(
            "\(path) has several tokens of this account: \(named.joined(separator: ", "))",
            hint: "choose one with --serial; softtoken-issuer records revoke ends one for good")
    }
    return serial
}

/// The keys of one token, of which there is one at least.
///
/// - Throws: `Failure`: 66, 64; 65 for a file that can't be written.
func keys(
    _ name: TokenName, in file: borrowing Descriptor, at unixSeconds: Int64
) throws(Failure) -> ([PSKCKeyPackage], PSKCOutline) {
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
        let isUsable = { (key: PSKCKeyPackage) in key.policy.allows(.verifying, at: unixSeconds) }
        let serial = try theOne(
            found.filter(isUsable).map(\.serial), ended: found.map(\.serial), account: account,
            path: file.path)
        found.removeAll { $0.serial != serial }
    }
    // Before anybody's OTP is taken: what is accepted has to be written.
    guard outline.encoding.holds([]) else {
        throw Failure(encoding: outline.encoding, of: file.path)
    }
    guard !found.isEmpty else { throw Failure(noSerialIn: file.path) }
    return (found, outline)
}
