// A token that ends before its time: none of its OTPs is accepted any more, whatever any clock says, and
// nothing brings it back. Bound by RECORDS.md §3.
import Linux

extension RecordsStore {
    /// Ends a token.
    ///
    /// - Returns: its serial.
    /// - Throws: `Failure`: 66, or 64 where the account has several.
    func revoke(_ name: TokenName, at unixSeconds: Int64) throws(Failure) -> String {
        let ended = try database.write { () throws(Failure) in
            let token = try token(try serial(name, at: unixSeconds))
            try database.run(
                "UPDATE tokens SET expires = ? WHERE serial = ?",
                [.integer(revokedUnixSeconds), .text(token.record.serial)])
            return token.record.serial
        }
        try database.sync()
        return ended
    }
}

/// Ends a token of a PSKC file: each of its keys. All else stays as it was.
///
/// - Returns: its serial.
/// - Throws: `Failure`: 66, 64; 65 for a file that can't be changed.
func revokeInFile(
    _ path: String, _ name: TokenName, at unixSeconds: Int64
) throws(Failure) -> String {
    let lock = try lockRecords(path)
    defer { withExtendedLifetime(lock.number) {} }
    let file = try openRecords(path)
    let (keys, outline) = try keys(name, in: file, at: unixSeconds)
    let serial = keys[0].serial
    try change(file, outline, keys.compactMap { $0.revocation() }, serial: serial) { changed in
        changed.filter(\.isToken).allSatisfy {
            $0.policy.expiryUnixSeconds.map { $0 <= revokedUnixSeconds } ?? false
        }
    }
    return serial
}
