// Records in the clear become encrypted ones, whole or not at all. Bound by RECORDS.md §8.
import Linux
import SoftTokenCore

extension RecordsStore {
    /// Encrypts every seed in one write; then no page of the store holds what was in the clear.
    ///
    /// - Throws: `Failure`; 75 where another process keeps what was in the clear in the store.
    func encrypt(_ secret: RecordsSecret) throws(Failure) {
        let protection = try PSKCProtection.new(for: secret)
        let keyring = try recordsKeyring(protection, secret, path: path)
        let wasEncrypted = try database.write { () throws(Failure) in
            guard try self.protection() == nil else { return true }
            try database.write(protection)
            try encryptRows(keyring)
            return false
        }
        // Of a store that is encrypted already, too: the command may have been cut here.
        let isEmptied = (try? forgetOldPages()) ?? false
        guard isEmptied else {
            throw Failure(
                .tryLater,
                "\(path) is encrypted, but what was in the clear is still in its files: "
                    + "the disk is full, or another process has the store open",
                hint: "make room or end that process, then give the same command again")
        }
        guard !wasEncrypted else { throw Failure(encrypted: path) }
    }

    private func encryptRows(_ keyring: PSKCKeyring) throws(Failure) {
        var last = ""
        while true {
            // No statement is open while its rows change.
            let rows = try database.rows(
                """
                SELECT serial, seed FROM tokens WHERE serial > ? AND mac IS NULL \
                ORDER BY serial LIMIT 256
                """,
                [.text(last)])
            guard !rows.isEmpty else { break }
            for row in rows {
                last = row[0].text ?? ""
                let plain = PSKCValue.plain(Array((row[1].text ?? "").utf8))
                let written = try ofToken(last, try keyring.written(try PSKCKeyring().seed(plain)))
                try database.run(
                    "UPDATE tokens SET seed = ?, mac = ? WHERE serial = ?",
                    written.columns + [.text(last)])
            }
        }
        // One that has a MAC was none of ours to encrypt; all of them open, and none is plain.
        try each { (token) throws(Failure) in _ = try token.seed(keyring) }
    }

    /// Writes every page anew, for SQLite leaves pieces of old rows on them, and empties the log.
    ///
    /// - Returns: false where another process keeps the log.
    private func forgetOldPages() throws(Failure) -> Bool {
        try database.run("VACUUM")
        return try database.rows("PRAGMA wal_checkpoint(TRUNCATE)").first?[0] == .integer(0)
    }
}

/// Encrypts every seed of a PSKC file; all else stays as it was.
///
/// - Throws: `Failure`; 65 for a file in which a seed could be left in the clear.
func encryptFile(_ path: String, _ secret: RecordsSecret) throws(Failure) {
    let lock = try lockRecords(path)
    defer { withExtendedLifetime(lock.number) {} }
    let file = try openRecords(path)
    let protection = try PSKCProtection.new(for: secret)
    let keyring = try recordsKeyring(protection, secret, path: path)
    var edits: [RecordEdit] = []
    let outline = try readKeys(file) { (package, found) throws(Failure) in
        guard found == PSKCProtection() else { throw Failure(encrypted: path) }
        if let edit = try ofToken(package.serial, try package.encryption(keyring)) {
            edits.append(edit)
        }
    }
    guard !outline.isSigned, outline.encoding.holds([]) else { throw Failure(changing: path) }
    let start = outline.firstOffset..<outline.firstOffset
    edits.append(RecordEdit(start, protection.text(prefix: outline.prefix)))
    var target = try BufferedFile(path)
    try target.copy(file, with: edits)
    try target.requireNoPlainSeed(count: outline.packageCount, of: path)
    try target.place()
}

extension PSKCKeyPackage {
    /// What encrypts the seed, which is in the clear; nil for a key without one.
    fileprivate func encryption(_ keyring: PSKCKeyring) throws(Failure) -> RecordEdit? {
        if let repeated { throw .repeatedElement(repeated) }
        guard let secret = data?.child("Secret"), let value = try value("Secret") else {
            return nil
        }
        let written = try keyring.written(try PSKCKeyring().seed(value))
        return RecordEdit(secret.range, secretText(written, prefix: secret.prefix))
    }
}

extension BufferedFile {
    /// Looks for any place of the new version where a seed could stand but its encrypted Secrets.
    fileprivate mutating func requireNoPlainSeed(count: Int, of path: String) throws(Failure) {
        var serial: String?
        let outline = try checkChange(&self, count: count, of: path) { package in
            if serial == nil, !package.element.hasNoPlainSeed { serial = package.serial }
        }
        if let serial { throw Failure(holdingMore: "token \(serial): it") }
        guard !outline.holdsMore else { throw Failure(holdingMore: path) }
    }
}

extension Failure {
    fileprivate init(encrypted path: String) {
        self.init(.usage, "\(path) is encrypted already")
    }

    fileprivate init(holdingMore subject: String) {
        self.init(
            .rejected,
            "\(subject) holds more than RFC 6030's elements (an extension, a comment), and a seed "
                + "could be left there in the clear",
            hint: "take that out, or fill an encrypted store with softtoken-issuer records import")
    }
}
