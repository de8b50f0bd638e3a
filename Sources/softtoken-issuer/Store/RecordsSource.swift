// All records of a file, a store or PSKC, with their seeds. Bound by RECORDS.md §3, §7.
import Keystore
import KeystoreIssuer
import Linux
import OTP

/// Records that are read through once.
struct RecordsSource: ~Copyable {
    private let path: String
    private let store: RecordsStore?
    private let secret: RecordsSecret?
    let isEncrypted: Bool

    /// - Throws: `Failure`: 66, 78, 65, 64.
    init(_ path: String, _ secret: RecordsSecret?) throws(Failure) {
        switch RecordsKind(path) {
        case .store:
            let store = try RecordsStore(path)
            isEncrypted = try store.protection() != nil
            self.store = store
        case .pskc:
            let file = try openRecords(path)
            do throws(PSKCError) {
                isEncrypted = try readPSKC(file) { _, _ in }.protection.isEncrypted
            } catch { throw Failure(error, path: path) }
            store = nil
        }
        self.path = path
        self.secret = secret
    }

    /// Lends every record.
    ///
    /// - Throws: `Failure`, for the first that can't be read too.
    borrowing func each(
        _ body: (TokenMetadata, borrowing Seed) throws(Failure) -> Void
    ) throws(Failure) {
        if let store { return try each(of: store, body) }
        let file = try openRecords(path)
        var failure: Failure?
        var opener: PSKCKeyring?
        do throws(PSKCError) {
            _ = try readPSKC(file) { package, protection in
                guard failure == nil, package.isToken else { return }
                do throws(Failure) {
                    if opener == nil { opener = try recordsKeyring(protection, secret, path: path) }
                    try lend(package, opener, body)
                } catch { failure = error }
            }
        } catch { throw Failure(error, path: path) }
        if let failure { throw failure }
    }

    private borrowing func each(
        of store: RecordsStore, _ body: (TokenMetadata, borrowing Seed) throws(Failure) -> Void
    ) throws(Failure) {
        let keyring = try store.keyring(secret)
        try store.each { (token) throws(Failure) in
            let seed: Seed
            do throws(KeyProblem) { seed = try token.seed.opened(keyring) } catch {
                throw Failure(error, serial: token.record.serial)
            }
            try body(token.record, seed)
        }
    }
}

private func lend(
    _ package: PSKCKeyPackage, _ keyring: borrowing PSKCKeyring?,
    _ body: (TokenMetadata, borrowing Seed) throws(Failure) -> Void
) throws(Failure) {
    switch keyring {
    case nil: return
    case .some(let keyring):
        let key: VerifiableKey
        do throws(KeyProblem) {
            key = VerifiableKey(
                state: try package.state(keyring), seed: try package.seed(keyring))
        } catch { throw Failure(error, serial: package.serial) }
        try body(TokenMetadata(package, key.state), key.seed)
    }
}

extension TokenMetadata {
    init(_ package: PSKCKeyPackage, _ state: VerifierState) {
        self.init(
            serial: package.serial, account: package.account, issuer: package.issuer,
            state: state, startUnixSeconds: package.policy.startUnixSeconds,
            expiryUnixSeconds: package.policy.expiryUnixSeconds, isHard: package.isHard)
    }
}

extension PSKCValue {
    /// The seed of a row.
    ///
    /// - Throws: `KeyProblem`.
    func opened(_ keyring: borrowing PSKCKeyring) throws(KeyProblem) -> Seed {
        let bytes = try keyring.bytes(self, named: "Secret")
        guard bytes.count <= Seed.maximumByteCount else { throw .seedLength }
        return Seed(bytes)
    }
}
