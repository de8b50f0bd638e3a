// Records in the clear become encrypted ones, whole or not at all. Bound by RECORDS.md §8.
import Keystore
import KeystoreIssuer
import Linux

extension RecordsStore {
    /// Encrypts every seed in one write.
    ///
    /// - Throws: `Failure`; 64 where they are encrypted already.
    func encrypt(_ secret: RecordsSecret) throws(Failure) {
        guard try protection() == nil else { throw Failure(encrypted: path) }
        let protection = try newProtection(secret)
        let keyring = try recordsKeyring(protection, secret, path: path)
        var failure: Failure?
        try catching { (database) throws(DatabaseError) in
            try database.write { () throws(DatabaseError) in
                try database.write(protection)
                var last = ""
                while failure == nil {
                    // No statement is open while its rows change.
                    let rows = try database.rows(
                        "SELECT serial, seed FROM tokens WHERE serial > ? ORDER BY serial LIMIT 256",
                        [.text(last)])
                    guard !rows.isEmpty else { break }
                    for row in rows {
                        last = row[0].text ?? ""
                        let written: WrittenSeed
                        let text = Array((row[1].text ?? "").utf8)
                        do throws(KeyProblem) {
                            written = try keyring.written(PSKCValue.plain(text).opened(keyring))
                        } catch {
                            failure = Failure(error, serial: last)
                            break
                        }
                        try database.set(written, of: last)
                    }
                }
                return ((), keeps: failure == nil)
            }
            guard failure == nil else { return }
            // What was in the clear goes out of the log, too.
            try database.run("PRAGMA wal_checkpoint(TRUNCATE)")
        }
        if let failure { throw failure }
    }
}

extension Database {
    fileprivate func set(_ seed: WrittenSeed, of serial: String) throws(DatabaseError) {
        try run(
            "UPDATE tokens SET seed = ?, mac = ? WHERE serial = ?",
            seed.values + [.text(serial)])
    }
}

/// Encrypts every seed of a PSKC file; all else stays as it was.
///
/// - Throws: `Failure`; 64 where they are encrypted already, 65 for a file that can't be changed.
func encryptFile(_ path: String, _ secret: RecordsSecret) throws(Failure) {
    let lock = try lockRecords(path)
    defer { withExtendedLifetime(lock.number) {} }
    let file = try openRecords(path)
    let protection = try newProtection(secret)
    let keyring = try recordsKeyring(protection, secret, path: path)
    var edits: [RecordEdit] = []
    var failure: Failure?
    let outline: PSKCOutline
    do throws(PSKCError) {
        outline = try readPSKC(file) { package, _ in
            guard failure == nil, let secret = package.data?.child(Namespace.pskc, "Secret"),
                case .plain? = package.value("Secret")
            else { return }
            do throws(KeyProblem) {
                let seed = try package.value("Secret")?.opened(keyring)
                guard let seed else { return }
                let text = secretText(
                    try keyring.written(seed), protection.cipherName ?? "",
                    prefix: secret.name.prefix)
                edits.append(RecordEdit(range: secret.range, bytes: text))
            } catch { failure = Failure(error, serial: package.serial) }
        }
    } catch { throw Failure(error, path: path) }
    if let failure { throw failure }
    guard !outline.protection.isEncrypted else { throw Failure(encrypted: path) }
    guard !outline.isSigned, outline.encoding.holds([]) else { throw Failure(changing: path) }
    let start = outline.firstOffset..<outline.firstOffset
    edits.append(
        RecordEdit(range: start, bytes: Array(protection.text(prefix: outline.prefix).utf8)))
    try replace(file, path, edits, count: outline.packageCount)
}

private func replace(
    _ file: borrowing Descriptor, _ path: String, _ edits: [RecordEdit], count: Int
) throws(Failure) {
    let check = RecordsCheck()
    var target = try Failure.catching(Failure.init(_:)) { () throws(SystemError) in
        var target = try BufferedFile(path) { check.take($0) }
        try copy(file, with: edits, to: &target)
        try target.flush()
        return target
    }
    _ = try check.packages(count: count, path: path)
    do throws(SystemError) { try target.place() } catch { throw Failure(error) }
}

extension Failure {
    fileprivate init(encrypted path: String) {
        self.init(.usage, "\(path) is encrypted already")
    }
}
