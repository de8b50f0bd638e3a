// The verifier's store: records in SQLite, found by serial or account, changed a row at a time.
// Bound by RECORDS.md §7.
import Linux
import SoftTokenCore

/// A store that is open.
final class RecordsStore {
    let path: String
    let database: Database
    /// Closed after the database: closing any descriptor of a file drops SQLite's locks on it.
    private let file: Descriptor

    /// Opens a store: a plain file of this user's, closed to others, under one name, with just the
    /// schema that we write.
    init(_ path: String) throws(Failure) {
        let file = try openRecords(path)
        database = try Database(path)
        self.file = file
        self.path = path
        try requireSchema()
    }

    /// Makes an empty store (0600), whole or not at all.
    static func create(_ path: String, _ protection: PSKCProtection) throws(Failure) {
        let database = try Database(":memory:")
        try database.run("PRAGMA application_id = \(applicationID)")
        try database.run("PRAGMA user_version = \(version)")
        for statement in schema { try database.run(statement) }
        try database.write(protection)
        var image = try database.image()
        // File format, bytes 18 and 19: 2 is a write-ahead log.
        image[18] = 2
        image[19] = 2
        try writeNewFile(path, image)
    }

    private func requireSchema() throws(Failure) {
        guard try database.rows("PRAGMA application_id") == [[.integer(applicationID)]] else {
            throw .rejected(
                "\(path) is a database of another program",
                hint: "softtoken-issuer records create makes a store")
        }
        guard try database.rows("PRAGMA user_version") == [[.integer(version)]] else {
            throw .rejected(
                "\(path) is a store of another version of softtoken-issuer",
                hint: "use the newest one")
        }
        let found = try database.rows("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")
        // A trigger or a view that somebody added would run in our writes. VACUUM orders them anew.
        guard found.map({ $0[0].text ?? "" }).sorted() == schema.sorted() else {
            throw Failure(damaged: path, "its tables aren't a store's")
        }
        // Without the log nothing that is counted can be answered.
        guard try database.rows("PRAGMA journal_mode") == [[.text("wal")]] else {
            throw .rejected(
                "\(path) is without its log, which another program has turned off",
                hint: "sqlite3 \(path) \"PRAGMA journal_mode=wal\" turns it on again")
        }
    }
}

/// "STRS".
private let applicationID: Int64 = 0x5354_5253
private let version: Int64 = 1

/// Just as SQLite gives it back.
private let schema = [
    """
    CREATE TABLE tokens(\
    serial TEXT PRIMARY KEY NOT NULL, account TEXT, issuer TEXT, \
    algorithm TEXT NOT NULL, digits INTEGER NOT NULL, period INTEGER, counter INTEGER, \
    step INTEGER, drift INTEGER NOT NULL, starts INTEGER, expires INTEGER, \
    hard INTEGER NOT NULL, seed TEXT NOT NULL, mac TEXT, \
    failures INTEGER NOT NULL, failed INTEGER NOT NULL) STRICT
    """,
    "CREATE INDEX accounts ON tokens(account)",
    """
    CREATE TABLE protection(\
    id INTEGER PRIMARY KEY CHECK(id = 1), bytes INTEGER NOT NULL, salt TEXT, rounds INTEGER, \
    mackey TEXT NOT NULL) STRICT
    """,
]

extension Failure {
    /// A store that we can't have written so.
    init(damaged path: String, _ why: String) {
        self.init(.rejected, "\(path) is damaged: \(why)")
    }
}
