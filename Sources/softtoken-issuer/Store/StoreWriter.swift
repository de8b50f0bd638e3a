// New records on their way into a store: kept apart until all of them are there, so that nobody who
// verifies waits for a long run, and none is left of one that is cut short. Bound by RECORDS.md §7.
import Keystore
import ProgramSupport

/// Where new records go.
protocol RecordsTarget: AnyObject {
    var path: String { get }
    /// Whether a token of this serial is there already; from now on it is.
    func isTaken(_ serial: String) throws(Failure) -> Bool
    /// A token of the account that can be verified; nil if there is none.
    func usableSerial(ofAccount account: String, at unixSeconds: Int64) throws(Failure) -> String?
    func add(_ record: TokenMetadata, seed: borrowing Seed) throws(Failure)
    /// Puts what was added in place, unless nothing was.
    func place() throws(Failure)
}

/// Opens records to add to them: a store, or a PSKC file, which is made where there is none.
func openTarget(_ path: String, _ secret: RecordsSecret?) throws(Failure) -> any RecordsTarget {
    switch RecordsKind(path) {
    case .store: try StoreWriter(path, secret)
    case .pskc: try RecordsWriter(path, secret)
    }
}

/// What ends a token for good, for the shell.
func revokeCommand(_ serial: String, of records: String) -> String {
    shellCommand([
        "softtoken-issuer", "records", "revoke", "--records", records, "--serial", serial,
    ])
}

extension RecordsTarget {
    /// What to say of another token of the account, which is accepted until somebody ends it.
    func warningOfOther(
        ofAccount account: String, at unixSeconds: Int64
    ) throws(Failure) -> String? {
        guard let serial = try usableSerial(ofAccount: account, at: unixSeconds) else { return nil }
        return "\(account) has at least one other token that verifies: \(serial); "
            + "\(revokeCommand(serial, of: path)) ends it"
    }
}

/// Tokens that are not looked up on the disk: those of a run and, in a PSKC file, of the file.
struct KnownTokens {
    /// Hashes, eight bytes each, so that 100,000 of them stay small.
    private var serials: Set<Int> = []
    /// By the hash of the account: the token of it that can be verified longest.
    private var accounts: [Int: (serial: String, endUnixSeconds: Int64)] = [:]

    /// Whether a serial is known already; from now on it is.
    mutating func isTaken(_ serial: String) -> Bool {
        !serials.insert(serial.hashValue).inserted
    }

    mutating func add(_ serial: String, ofAccount account: String?, until end: Int64?) {
        guard let account = account?.hashValue else { return }
        let end = end ?? .max
        if end > accounts[account]?.endUnixSeconds ?? revokedUnixSeconds {
            accounts[account] = (serial, end)
        }
    }

    func usableSerial(ofAccount account: String, at unixSeconds: Int64) -> String? {
        accounts[account.hashValue].flatMap { unixSeconds < $0.endUnixSeconds ? $0.serial : nil }
    }
}

/// A store that is added to.
final class StoreWriter: RecordsTarget {
    private let store: RecordsStore
    var path: String { store.path }
    private var database: Database { store.database }
    private let keyring: PSKCKeyring
    private let protection: [[SQLValue]]
    private var count = 0
    /// Those of this run.
    private var known = KnownTokens()

    init(_ path: String, _ secret: RecordsSecret?) throws(Failure) {
        store = try RecordsStore(path)
        keyring = try store.keyring(secret)
        protection = try store.database.rows("SELECT mackey FROM protection")
        try database.run("CREATE TEMP TABLE added AS SELECT * FROM tokens WHERE 0")
    }

    func isTaken(_ serial: String) throws(Failure) -> Bool {
        guard !known.isTaken(serial) else { return true }
        return try !database.rows("SELECT 1 FROM tokens WHERE serial = ?", [.text(serial)]).isEmpty
    }

    func usableSerial(
        ofAccount account: String, at unixSeconds: Int64
    ) throws(Failure) -> String? {
        if let own = known.usableSerial(ofAccount: account, at: unixSeconds) { return own }
        let rows = try database.rows(
            """
            SELECT serial FROM tokens WHERE account = ? AND (expires IS NULL OR expires > ?) LIMIT 1
            """,
            [.text(account), .integer(unixSeconds)])
        return rows.first?[0].text
    }

    func add(_ record: TokenMetadata, seed: borrowing Seed) throws(Failure) {
        try database.run(
            "INSERT INTO temp.added VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            record.row(try ofToken(record.serial, try keyring.written(seed))))
        known.add(record.serial, ofAccount: record.account, until: record.expiryUnixSeconds)
        count += 1
    }

    func place() throws(Failure) {
        guard count > 0 else { return }
        try database.write { () throws(Failure) in
            // Somebody may have encrypted the store meanwhile.
            guard try database.rows("SELECT mackey FROM protection") == protection else {
                throw .busy(path)
            }
            try database.run("INSERT INTO tokens SELECT * FROM temp.added ORDER BY serial")
        }
        try database.sync()
    }
}
