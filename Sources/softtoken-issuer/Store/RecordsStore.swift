// The verifier's store: records in SQLite, found by serial or account, changed a row at a time.
// Bound by RECORDS.md §7.
import Keystore
import Linux
import OTP

/// A store that is open.
final class RecordsStore {
    let path: String
    private let database: Database
    /// Closed after the database: closing any descriptor of a file drops SQLite's locks on it.
    private let file: Descriptor

    /// Opens a store: a plain file of this user's, closed to others, under one name, with just the
    /// schema that we write.
    ///
    /// - Throws: `Failure`: 66, 78; 65 for what is no store, is damaged or of a newer version.
    init(_ path: String) throws(Failure) {
        let file = try openRecords(path)
        do throws(DatabaseError) { database = try Database(path) } catch {
            throw Failure(error, path: path)
        }
        self.file = file
        self.path = path
        try requireSchema()
    }

    /// Makes an empty store (0600), whole or not at all.
    ///
    /// - Throws: `Failure`; 73 where the name is taken.
    static func create(
        _ path: String, _ protection: PSKCProtection
    ) throws(Failure) {
        var image: [UInt8]
        do throws(DatabaseError) {
            let database = try Database(":memory:")
            try database.run("PRAGMA application_id = \(applicationID)")
            try database.run("PRAGMA user_version = \(version)")
            for statement in schema { try database.run(statement) }
            try database.write(protection)
            image = try database.image()
        } catch { throw Failure(error, path: path) }
        // File format, bytes 18 and 19: 2 is a write-ahead log.
        image[18] = 2
        image[19] = 2
        do throws(SystemError) {
            var file = try NewFile(path, policy: .refuse)
            try file.write(image.span)
            try file.place()
        } catch { throw Failure(error) }
    }

    /// Runs what a database throws at, and says of which file it was.
    func catching<R>(_ body: (Database) throws(DatabaseError) -> R) throws(Failure) -> R {
        do throws(DatabaseError) { return try body(database) } catch {
            throw Failure(error, path: path)
        }
    }

    private func requireSchema() throws(Failure) {
        let (identity, number, found) = try catching { (database) throws(DatabaseError) in
            (
                try database.rows("PRAGMA application_id"),
                try database.rows("PRAGMA user_version"),
                try database.rows("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")
            )
        }
        guard identity == [[.integer(applicationID)]] else {
            throw Failure(
                .rejected, "\(path) is a database of another program",
                hint: "softtoken-issuer records create makes a store")
        }
        guard number == [[.integer(version)]] else {
            throw Failure(
                .rejected, "\(path) is a store of another version of softtoken-issuer",
                hint: "use the newest one")
        }
        // A trigger or a view that somebody added would run in our writes.
        guard found == schema.map({ [.text($0)] }) else {
            throw Failure(.rejected, "\(path) is damaged: its tables aren't a store's")
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

/// Opens a file of records: as private as a key, and under one name, because whoever came by another
/// would take another lock.
///
/// - Throws: `Failure`: 66, 78.
func openRecords(_ path: String) throws(Failure) -> Descriptor {
    let file = try Failure.catching(Failure.init(_:)) { () throws(FileProblem) in
        try openPrivateFile(path)
    }
    let attributes = try Failure.catching(Failure.init(_:)) { () throws(SystemError) in
        try file.attributes()
    }
    guard attributes.nameCount == 1 else {
        throw Failure(
            .configuration,
            "\(path) has another name too (a hard link), and an OTP that is accepted under one "
                + "could be accepted under the other",
            hint: "remove the other name: find -samefile \(path)")
    }
    return file
}

extension Failure {
    init(_ error: DatabaseError, path: String) {
        switch error {
        case .damaged: self.init(.rejected, "\(path) is damaged, or no store of records")
        case .busy:
            self.init(
                .tryLater, "\(path) is in use by another command", hint: "try again later")
        case .taken: self.init(.usage, "\(path) has a token of this serial already")
        case .failed(let reason):
            self.init(.inputOutput, "can't read or write \(path): \(reason)")
        }
    }
}
