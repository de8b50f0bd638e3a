// A try at a store's token: counted before the OTP is looked at, judged after, and on the disk
// before anybody hears what came of it. Bound by RECORDS.md §7 and RFC 4226 §7.3.
import OTP
import ProgramSupport
import SoftTokenCore

/// A token of a store. Nothing of it is held between two of its reads: other commands go on.
final class StoreTries: JudgedToken {
    private let store: RecordsStore
    private let name: TokenName
    private let keyring: PSKCKeyring
    let record: TokenMetadata

    /// Finds a token that may be used now.
    init(
        _ path: String, _ name: TokenName, secret: RecordsSecret?, at unixSeconds: Int64
    ) throws(Failure) {
        store = try RecordsStore(path)
        self.name = name
        keyring = try recordsKeyring(try store.protection() ?? PSKCProtection(), secret, path: path)
        record = try store.key(name, keyring, at: unixSeconds).record
    }

    /// Counts the try, judges the OTPs by what the row says now, and writes what is to be remembered.
    func verdict(_ attempt: OTPAttempt) throws(Failure) -> OTPVerdict {
        try store.count(record.serial, limit: attempt.limit, now: try currentSeconds())
        // The rule is quick: others wait.
        let verdict = try store.database.write { () throws(Failure) -> OTPVerdict in
            // All that decides is read anew: the token may have been bound or revoked meanwhile.
            let key = try store.key(name, keyring, at: attempt.unixSeconds)
            // The try was counted for this one.
            guard key.record.serial == record.serial else { throw .busy(store.path) }
            let verdict = try key.verdict(attempt)
            if case .accepted(let state, _) = verdict {
                try store.remember(state, account: attempt.account, serial: record.serial)
            }
            return verdict
        }
        try store.database.sync()
        return verdict
    }
}

extension RecordsStore {
    /// Finds a token that may be used now, and opens its seed.
    fileprivate func key(
        _ name: TokenName, _ keyring: PSKCKeyring, at unixSeconds: Int64
    ) throws(Failure) -> VerifiableKey {
        let token = try token(try serial(name, at: unixSeconds))
        try ofToken(token.record.serial, try token.record.check(at: unixSeconds))
        return VerifiableKey(record: token.record, seed: try token.seed(keyring))
    }

    /// Writes what is to be remembered, and whom the token is now bound to.
    fileprivate func remember(
        _ state: VerifierState, account: String?, serial: String
    ) throws(Failure) {
        try database.run(
            """
            UPDATE tokens SET counter = ?, step = ?, drift = ?, failures = 0, failed = 0 \
            WHERE serial = ?
            """,
            [
                state.parameters.factor.columns.counter, SQLValue(state.lastStep),
                .integer(state.driftSteps), .text(serial),
            ])
        // A statement of its own: SQLite would write the accounts' index each time.
        if let account {
            try database.run(
                "UPDATE tokens SET account = ? WHERE serial = ?", [.text(account), .text(serial)])
        }
    }

    /// Counts a try.
    fileprivate func count(_ serial: String, limit: Int64, now: Int64) throws(Failure) {
        let standing = try database.write { () throws(Failure) in
            let rows = try database.rows(
                "SELECT failures, failed FROM tokens WHERE serial = ?", [.text(serial)])
            guard let row = rows.first else { throw Failure(noSerialIn: path) }
            guard let tries = row[0].number, let last = row[1].number, tries >= 0, last >= 0 else {
                throw Failure(damaged: path, "the row of token \(serial) is none")
            }
            let standing = Throttle(tries: tries, lastUnixSeconds: last, now: now, limit: limit)
            // Where the clock went back, the delay begins anew, and ends.
            guard standing == .open || now < last else { return standing }
            try database.run(
                "UPDATE tokens SET failures = failures + ?, failed = ? WHERE serial = ?",
                [.integer(standing == .open ? 1 : 0), .integer(now), .text(serial)])
            return standing
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
                hint: shellCommand([
                    "softtoken-issuer", "records", "unlock", "--records", path, "--serial", serial,
                ]))
        }
    }

    /// Lets a locked token try again.
    func unlock(_ serial: String) throws(Failure) {
        try database.write { () throws(Failure) in
            _ = try token(serial)
            try database.run(
                "UPDATE tokens SET failures = 0, failed = 0 WHERE serial = ?", [.text(serial)])
        }
        try database.sync()
    }
}
