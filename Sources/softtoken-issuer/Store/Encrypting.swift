// Records in the clear become encrypted ones, whole or not at all. Bound by RECORDS.md §8.
import Linux
import SoftTokenCore

extension RecordsStore {
    /// Encrypts every seed in one write.
    func encrypt(_ secret: RecordsSecret) throws(Failure) {
        guard try protection() == nil else { throw Failure(encrypted: path) }
        let protection = try PSKCProtection.new(for: secret)
        let keyring = try recordsKeyring(protection, secret, path: path)
        try database.write { () throws(Failure) in
            try database.write(protection)
            var last = ""
            while true {
                // No statement is open while its rows change.
                let rows = try database.rows(
                    "SELECT serial, seed FROM tokens WHERE serial > ? ORDER BY serial LIMIT 256",
                    [.text(last)])
                guard !rows.isEmpty else { break }
                for row in rows {
                    last = row[0].text ?? ""
                    let plain = PSKCValue.plain(Array((row[1].text ?? "").utf8))
                    let written = try ofToken(
                        last, try keyring.written(try PSKCKeyring().seed(plain)))
                    try database.run(
                        "UPDATE tokens SET seed = ?, mac = ? WHERE serial = ?",
                        written.columns + [.text(last)])
                }
            }
        }
        // What was in the clear goes out of the log, too.
        try database.run("PRAGMA wal_checkpoint(TRUNCATE)")
    }
}

/// Encrypts every seed of a PSKC file; all else stays as it was.
func encryptFile(_ path: String, _ secret: RecordsSecret) throws(Failure) {
    let lock = try lockRecords(path)
    defer { withExtendedLifetime(lock.number) {} }
    let file = try openRecords(path)
    let protection = try PSKCProtection.new(for: secret)
    let keyring = try recordsKeyring(protection, secret, path: path)
    var edits: [RecordEdit] = []
    let outline = try readKeys(file) { (package, _) throws(Failure) in
        guard let secret = package.data?.child("Secret"),
            let value = try? package.value("Secret"), case .plain = value
        else { return }
        let written = try ofToken(
            package.serial, try keyring.written(try PSKCKeyring().seed(value)))
        edits.append(RecordEdit(secret.range, secretText(written, prefix: secret.prefix)))
    }
    guard !outline.protection.isEncrypted else { throw Failure(encrypted: path) }
    guard !outline.isSigned, outline.encoding.holds([]) else { throw Failure(changing: path) }
    let start = outline.firstOffset..<outline.firstOffset
    edits.append(RecordEdit(start, protection.text(prefix: outline.prefix)))
    try change(file, outline, edits)
}

extension Failure {
    fileprivate init(encrypted path: String) {
        self.init(.usage, "\(path) is encrypted already")
    }
}
