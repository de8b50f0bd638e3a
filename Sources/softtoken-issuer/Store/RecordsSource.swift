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

/// Records that are read through once.
struct RecordsSource: ~Copyable {
    private let path: String
    private let store: RecordsStore?
    private let secret: RecordsSecret?
    let isEncrypted: Bool

    init(_ path: String, _ secret: RecordsSecret?) throws(Failure) {
        let store = RecordsKind(path) == .store ? try RecordsStore(path) : nil
        let isEncrypted =
            if let store { try store.protection() != nil } else {
                try readKeys(openRecords(path)) { _, _ in }.protection.isEncrypted
            }
        (self.path, self.store, self.secret) = (path, store, secret)
        self.isEncrypted = isEncrypted
    }

    /// Lends every record.
    ///
    /// - Throws: `Failure`, for the first that can't be read too.
    borrowing func each(
        _ body: (TokenMetadata, borrowing Seed) throws(Failure) -> Void
    ) throws(Failure) {
        if let store {
            let keyring = try store.keyring(secret)
            return try store.each { (token) throws(Failure) in
                try body(token.record, try token.seed(keyring))
            }
        }
        var keyring: PSKCKeyring?
        _ = try readKeys(openRecords(path)) { (package, protection) throws(Failure) in
            guard package.isToken else { return }
            if keyring == nil { keyring = try recordsKeyring(protection, secret, path: path) }
            switch keyring {
            case nil: return
            case .some(let keyring):
                let key = try ofToken(package.serial, try package.verifiable(keyring))
                try body(key.record, key.seed)
            }
        }
    }
}

/// A key as a verifier has it.
struct VerifiableKey: ~Copyable {
    let record: TokenMetadata
    let seed: Seed
}

extension PSKCKeyPackage {
    /// What a verifier needs of the key.
    func verifiable(_ keyring: borrowing PSKCKeyring) throws(Failure) -> VerifiableKey {
        let record = TokenMetadata(
            serial: serial, account: account, issuer: issuer, state: try state(keyring),
            startUnixSeconds: policy.startUnixSeconds,
            expiryUnixSeconds: policy.expiryUnixSeconds, isHard: isHard)
        return VerifiableKey(record: record, seed: try seed(keyring))
    }
}
