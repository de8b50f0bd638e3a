// All records of a file, a store or PSKC, with their seeds. Bound by RECORDS.md §3, §7.
import Keystore
import Linux

/// What `--records` names.
enum RecordsKind: Equatable, Sendable {
    case pskc
    case store

    /// Tells the two apart by their first bytes; what can't be read is left to who reads it.
    init(_ path: String) {
        let mark = Array("SQLite format 3\0".utf8)
        let start = try? openInput(path).nextBytes(limit: mark.count)
        self = start == mark ? .store : .pskc
    }
}

/// Lends every record with its seed. What `body` throws ends it, and so does the first that can't be
/// read.
func eachRecord(
    of path: String, _ secret: RecordsSecret?,
    _ body: (TokenMetadata, borrowing Seed) throws(Failure) -> Void
) throws(Failure) {
    guard RecordsKind(path) == .pskc else {
        let store = try RecordsStore(path)
        let keyring = try store.keyring(secret)
        return try store.each { (token) throws(Failure) in
            try body(token.record, try token.seed(keyring))
        }
    }
    var keyring: PSKCKeyring?
    _ = try readKeys(openRecords(path)) { (package, protection) throws(Failure) in
        guard package.isToken else { return }
        if keyring == nil { keyring = try recordsKeyring(protection, secret, path: path) }
        guard let keyring else { return }
        let key = try ofToken(package.serial, try package.verifiable(keyring))
        try body(key.record, key.seed)
    }
}

/// A key as a verifier has it.
struct VerifiableKey: ~Copyable {
    let record: TokenMetadata
    let seed: Seed
}

extension PSKCKeyPackage {
    /// What a verifier needs of the key.
    func verifiable(_ keyring: PSKCKeyring) throws(Failure) -> VerifiableKey {
        let parameters = try parameters(keyring)
        let lastStep = try number("Time", keyring)
        let drift = try number("TimeDrift", keyring) ?? 0
        guard drift.magnitude < 1 << 31 else { throw .malformedValue("TimeDrift") }
        let record = TokenMetadata(
            serial: serial, account: account, issuer: issuer,
            state: VerifierState(parameters: parameters, lastStep: lastStep, driftSteps: drift),
            startUnixSeconds: policy.startUnixSeconds,
            expiryUnixSeconds: policy.expiryUnixSeconds, isHard: isHard)
        return VerifiableKey(record: record, seed: try seed(keyring))
    }
}
