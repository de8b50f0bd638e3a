// A try at a store's token: counted before the OTP is looked at, judged after, and on the disk
// before anybody hears what came of it. Bound by RECORDS.md §7 and RFC 4226 §7.3.
import Keystore
import KeystoreIssuer
import Linux
import OTP

extension RecordsStore {
    /// Counts a try.
    ///
    /// - Throws: `Failure`: 75 while a delay is in force, 83 where the token is locked, 66.
    func count(_ serial: String, limit: Int64, now: Int64) throws(Failure) {
        let standing = try catching { (database) throws(DatabaseError) in
            try database.write { () throws(DatabaseError) -> (Throttle?, keeps: Bool) in
                let row = try database.rows(
                    "SELECT failures, failed FROM tokens WHERE serial = ?", [.text(serial)]
                ).first
                guard let tries = row?[0].number, let last = row?[1].number else {
                    return (nil, false)
                }
                let standing = Throttle(
                    tries: tries, lastUnixSeconds: last, now: now, limit: limit)
                guard standing == .open else {
                    // Where the clock went back, the delay begins anew, and ends.
                    guard now < last else { return (standing, false) }
                    try database.run(
                        "UPDATE tokens SET failed = ? WHERE serial = ?",
                        [.integer(now), .text(serial)])
                    return (standing, true)
                }
                try database.run(
                    "UPDATE tokens SET failures = failures + 1, failed = ? WHERE serial = ?",
                    [.integer(now), .text(serial)])
                return (standing, true)
            }
        }
        switch standing {
        case .open: return
        case .delayed(let seconds):
            throw Failure(
                .tryLater,
                "token \(serial) had too many wrong one-time passwords: \(seconds) s to go before "
                    + "the next")
        case .locked:
            throw Failure(
                .locked, "token \(serial) is locked after too many wrong one-time passwords",
                hint: "softtoken-issuer records unlock --records \(path) --serial \(serial)")
        case nil: throw Failure(.missing, "\(path) has no token of this serial")
        }
    }

    /// Judges OTPs by what the row says now, and writes what is to be remembered.
    ///
    /// - Parameter rule: pure, and quick: others wait.
    func judge(
        _ serial: String, account: String?, by rule: (VerifierState) -> OTPVerdict
    ) throws(Failure) -> OTPVerdict {
        let cipher = try protection()?.cipherName
        let verdict = try catching { (database) throws(DatabaseError) in
            try database.write { () throws(DatabaseError) -> (OTPVerdict, keeps: Bool) in
                let rows = try database.rows(
                    "SELECT \(tokenColumns) FROM tokens WHERE serial = ?", [.text(serial)])
                guard let row = rows.first, let token = StoredToken(row, cipher: cipher) else {
                    throw .damaged
                }
                let verdict = rule(token.record.state)
                guard case .accepted(let state, _) = verdict else { return (verdict, false) }
                try database.run(
                    """
                    UPDATE tokens SET counter = ?, step = ?, drift = ?, failures = 0, failed = 0 \
                    WHERE serial = ?
                    """,
                    [
                        state.counter, SQLValue(state.lastStep), .integer(state.driftSteps),
                        .text(serial),
                    ])
                // A statement of its own: SQLite would write the accounts' index each time.
                if let account {
                    try database.run(
                        "UPDATE tokens SET account = ? WHERE serial = ?",
                        [.text(account), .text(serial)])
                }
                return (verdict, true)
            }
        }
        try catching { (database) throws(DatabaseError) in try database.sync() }
        return verdict
    }

    /// Lets a locked token try again.
    ///
    /// - Throws: `Failure`: 66.
    func unlock(_ serial: String) throws(Failure) {
        _ = try token(serial)
        try catching { (database) throws(DatabaseError) in
            try database.write { () throws(DatabaseError) in
                try database.run(
                    "UPDATE tokens SET failures = 0, failed = 0 WHERE serial = ?", [.text(serial)])
                return ((), keeps: true)
            }
            try database.sync()
        }
    }
}

extension VerifierState {
    fileprivate var counter: SQLValue {
        switch parameters.factor {
        case .counter(let counter): .integer(Int64(counter))
        case .time: .null
        }
    }
}

/// One token of a store, with its seed.
struct StoreSession: ~Copyable {
    private let store: RecordsStore
    private let seed: Seed
    private let record: TokenMetadata

    /// - Throws: `Failure`: 66, 64, 65, 85, 88.
    init(
        _ path: String, _ name: TokenName, secret: RecordsSecret?, at unixSeconds: Int64
    ) throws(Failure) {
        let store = try RecordsStore(path)
        let serial =
            switch name {
            case .serial(let serial): serial
            case .account(let account): try store.serial(ofAccount: account)
            }
        let token = try store.token(serial)
        let protection = try store.protection() ?? PSKCProtection()
        let keyring = try recordsKeyring(protection, secret, path: path)
        let seed: Seed
        do throws(KeyProblem) {
            try token.record.check(at: unixSeconds)
            seed = try token.seed.opened(keyring)
        } catch { throw Failure(error, serial: serial) }
        self.store = store
        self.seed = seed
        record = token.record
    }

    var account: String? { record.account }
    var isHard: Bool { record.isHard }
    var factor: MovingFactor { record.state.parameters.factor }

    /// Counts a try, judges it and remembers it.
    ///
    /// - Throws: `Failure`.
    borrowing func verdict(
        _ otps: [[UInt8]], window: OTPWindow, at unixSeconds: Int64, binding account: String?,
        limit: Int64
    ) throws(Failure) -> OTPVerdict {
        var generator = try Failure.catching(Failure.init(_:)) { () throws(KeystoreError) in
            try CodeGenerator(seed: seed, algorithm: record.state.parameters.algorithm)
        }
        try store.count(record.serial, limit: limit, now: try currentUnixSeconds())
        let digits = record.state.parameters.digits
        return try store.judge(record.serial, account: account) { state in
            check(otps, state: state, at: unixSeconds, window: window) { first, count in
                generator.truncatedMACs(first: first, count: count).map(digits.digits(of:))
            }
        }
    }
}
