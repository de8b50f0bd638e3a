// SQLite, as little of it as the store needs. Bound by RECORDS.md §7.
//
// With XMLReader this is the file of the issuer that says `unsafe` (STYLE 11): the handles of a C
// library are pointers. SQLite's pages hold what the file holds, seeds in base64 among it: they are
// exempt from the rules of residue as the XML is (STYLE 8).
internal import CSQLite
import Linux
import SoftTokenCore

/// A value of a row, or of a parameter.
enum SQLValue: Equatable, Sendable {
    case null
    case integer(Int64)
    case text(String)

    init(_ text: String?) { self = text.map { .text($0) } ?? .null }
    init(_ number: Int64?) { self = number.map { .integer($0) } ?? .null }

    var number: Int64? {
        if case .integer(let number) = self { number } else { nil }
    }
    var text: String? {
        if case .text(let text) = self { text } else { nil }
    }
}

/// An open database.
@safe final class Database {
    private let path: String
    private let handle: OpaquePointer
    /// Prepared once: a run of 100,000 rows uses one.
    private var statements: [String: OpaquePointer] = unsafe [:]

    /// Opens a database that is there; `:memory:` is a new one.
    init(_ path: String) throws(Failure) {
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX
        let result = unsafe sqlite3_open_v2(path, &opened, flags, nil)
        guard let opened = unsafe opened else {
            throw Failure(.inputOutput, "there is no memory to open \(path)")
        }
        unsafe handle = opened
        self.path = path
        try require(result)
        try require(unsafe st_configure(opened))
        try run("PRAGMA cell_size_check = ON")
        try run("PRAGMA secure_delete = ON")
        try run("PRAGMA temp_store = MEMORY")
        // A commit is in the log when it ends, and on the disk after `sync`.
        try run("PRAGMA synchronous = NORMAL")
        // Whoever opens the database alone reads all of its log first: it is kept short.
        try run("PRAGMA wal_autocheckpoint = 100")
    }

    deinit {
        while let entry = unsafe statements.popFirst() {
            unsafe sqlite3_finalize(entry.value)
        }
        unsafe sqlite3_close(handle)
    }

    /// Runs a statement and lends each of its rows.
    ///
    /// - Throws: `Failure`: 65, 74, 75; 64 for a row whose key is there already.
    func run(
        _ sql: String, _ values: [SQLValue] = [],
        _ row: ([SQLValue]) throws(Failure) -> Void = { _ in }
    ) throws(Failure) {
        let statement = unsafe try prepared(sql)
        defer { unsafe sqlite3_reset(statement) }
        for (index, value) in values.enumerated() {
            unsafe bind(value, Int32(index + 1), statement)
        }
        while true {
            switch unsafe sqlite3_step(statement) {
            case SQLITE_ROW: unsafe try row(columns(statement))
            case SQLITE_DONE: return
            case let result: throw failure(result)
            }
        }
    }

    /// The rows of a statement that has few.
    func rows(_ sql: String, _ values: [SQLValue] = []) throws(Failure) -> [[SQLValue]] {
        var all: [[SQLValue]] = []
        try run(sql, values) { all.append($0) }
        return all
    }

    /// Runs statements in one write, which other processes see whole or, where it throws, not at all.
    func write<R>(_ body: () throws(Failure) -> R) throws(Failure) -> R {
        try run("BEGIN IMMEDIATE")
        do throws(Failure) {
            try nameLog()
            let result = try body()
            try run("COMMIT")
            return result
        } catch {
            try? run("ROLLBACK")
            throw error
        }
    }

    /// Waits until everything that was committed is on the disk. Outside of the write lock, so that
    /// the waits of several processes overlap.
    func sync() throws(Failure) {
        try fromSystem(try openLog().syncData())
    }

    /// Puts the log's name on the disk before anything stands in it: under the write lock, so that
    /// whoever finds something in it need not ask who made it. SQLite would wait for the folder once
    /// in each process.
    private func nameLog() throws(Failure) {
        let count = try fromSystem(try openLog().attributes().byteCount)
        if count == 0 { try require(unsafe st_sync_log(handle)) }
    }

    /// The log, which stays as long as somebody has the database open. It has no locks that closing
    /// it would drop.
    private func openLog() throws(SystemError) -> Descriptor { try openInput(path + "-wal") }

    /// The bytes of the file that this database would be.
    func image() throws(Failure) -> [UInt8] {
        var count: Int64 = 0
        guard let bytes = unsafe sqlite3_serialize(handle, "main", &count, 0) else {
            throw Failure(.inputOutput, "there is no memory to make \(path)")
        }
        defer { unsafe sqlite3_free(bytes) }
        return unsafe Array(UnsafeBufferPointer(start: bytes, count: Int(count)))
    }

    private func prepared(_ sql: String) throws(Failure) -> OpaquePointer {
        if let known = unsafe statements[sql] { return unsafe known }
        var made: OpaquePointer?
        let result = unsafe sqlite3_prepare_v2(handle, sql, -1, &made, nil)
        guard result == SQLITE_OK, let statement = unsafe made else { throw failure(result) }
        unsafe statements[sql] = statement
        return unsafe statement
    }

    @unsafe private func bind(_ value: SQLValue, _ index: Int32, _ statement: OpaquePointer) {
        switch value {
        case .null: unsafe sqlite3_bind_null(statement, index)
        case .integer(let number): unsafe sqlite3_bind_int64(statement, index, number)
        case .text(let text):
            unsafe st_bind_text(statement, index, text, Int32(text.utf8.count))
        }
    }

    @unsafe private func columns(_ statement: OpaquePointer) -> [SQLValue] {
        (0..<(unsafe sqlite3_column_count(statement))).map { index in
            switch unsafe sqlite3_column_type(statement, index) {
            case SQLITE_INTEGER: .integer(unsafe sqlite3_column_int64(statement, index))
            case SQLITE_NULL: .null
            default:
                SQLValue(
                    unsafe sqlite3_column_text(statement, index).map(String.init(cString:)))
            }
        }
    }

    private func require(_ result: Int32) throws(Failure) {
        guard result == SQLITE_OK else { throw failure(result) }
    }

    private func failure(_ result: Int32) -> Failure {
        switch result & 0xFF {
        case SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_ERROR, SQLITE_MISMATCH, SQLITE_SCHEMA:
            Failure(.rejected, "\(path) is damaged, or no store of records")
        case SQLITE_BUSY, SQLITE_LOCKED: .busy(path)
        case SQLITE_CONSTRAINT: Failure(.usage, "\(path) has a token of this serial already")
        default:
            Failure(
                .inputOutput,
                "can't read or write \(path): \(unsafe String(cString: sqlite3_errstr(result)))")
        }
    }
}
