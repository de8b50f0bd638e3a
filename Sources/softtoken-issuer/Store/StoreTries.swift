// A try at a store's token: counted before the OTP is looked at, judged after, and on the disk
// before anybody hears what came of it. Bound by RECORDS.md §7 and RFC 4226 §7.3.
import OTP
import ProgramSupport
import SoftTokenCore

extension RecordsStore: JudgingRecords {
    /// Finds a token that may be used now, and opens its seed.
    func key(
        _ name: TokenName, _ secret: RecordsSecret?, at unixSeconds: Int64
    ) throws(Failure) -> VerifiableKey {
        let serial = try serial(name, at: unixSeconds)
        let token = try token(serial)
        let keyring = try recordsKeyring(try protection() ?? PSKCProtection(), secret, path: path)
        try ofToken(serial, try token.record.check(at: unixSeconds))
        return VerifiableKey(record: token.record, seed: try token.seed(keyring))
    }

    /// Counts the try, judges the OTPs by what the row says now, and writes what is to be remembered.
    func judge(
        _ record: TokenMetadata, _ attempt: OTPAttempt, by rule: (VerifierState) -> OTPVerdict
    ) throws(Failure) -> OTPVerdict {
        let serial = record.serial
        try count(serial, limit: attempt.limit, now: try currentSeconds())
        // The rule is pure, and quick: others wait.
        let verdict = try database.write { () throws(Failure) -> OTPVerdict in
            let record = try token(serial).record
            // It may have been revoked meanwhile.
            try ofToken(serial, try record.check(at: attempt.unixSeconds))
            let verdict = rule(record.state)
            guard case .accepted(let state, _) = verdict else { return verdict }
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
            if let account = attempt.account {
                try database.run(
                    "UPDATE tokens SET account = ? WHERE serial = ?",
                    [.text(account), .text(serial)])
            }
            return verdict
        }
        try database.sync()
        return verdict
    }

    /// Counts a try.
    private func count(_ serial: String, limit: Int64, now: Int64) throws(Failure) {
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
        _ = try token(serial)
        try database.write { () throws(Failure) in
            try database.run(
                "UPDATE tokens SET failures = 0, failed = 0 WHERE serial = ?", [.text(serial)])
        }
        try database.sync()
    }
}
