// A row of the store and what it means. Bound by RECORDS.md §7.
import Keystore
import KeystoreIssuer
import OTP

/// A token's record, wherever it is kept; its seed apart.
struct TokenMetadata: Sendable {
    var serial: String
    var account: String?
    var issuer: String?
    var state: VerifierState
    var startUnixSeconds: Int64?
    var expiryUnixSeconds: Int64?
    /// A device that somebody made, with a button.
    var isHard = false

    /// Whether it may be used now.
    ///
    /// - Throws: `KeyProblem`.
    func check(at unixSeconds: Int64) throws(KeyProblem) {
        if let startUnixSeconds, unixSeconds < startUnixSeconds { throw .policy(.notYetValid) }
        if let expiryUnixSeconds, unixSeconds >= expiryUnixSeconds { throw .policy(.expired) }
        if case .counter(let counter) = state.parameters.factor, counter > lastCounter {
            throw .counterAtEnd
        }
    }
}

/// A row.
struct StoredToken: Sendable {
    let record: TokenMetadata
    let seed: PSKCValue
    /// Tries since the last OTP that was accepted, and when the last of them was.
    let failures: Int64
    let failedUnixSeconds: Int64
}

/// The columns, in the order in which they are read and written.
let tokenColumns = """
    serial, account, issuer, algorithm, digits, period, counter, step, drift, starts, expires, \
    hard, seed, mac, failures, failed
    """

extension StoredToken {
    /// - Returns: nil for a row that we can't have written.
    init?(_ row: [SQLValue], cipher: String?) {
        guard let serial = row[0].text, let name = row[3].text,
            let algorithm = AlgorithmName(rawValue: name)?.algorithm,
            let digits = row[4].number.flatMap({ DigitCount(Int(clamping: $0)) }),
            let factor = StoredToken.factor(period: row[5].number, counter: row[6].number),
            let drift = row[8].number, drift.magnitude < 1 << 31, let hard = row[11].number,
            let text = row[12].text, let failures = row[14].number, failures >= 0,
            let failed = row[15].number
        else { return nil }
        switch (row[13].text, cipher) {
        case (nil, _): seed = .plain(Array(text.utf8))
        case (let mac?, let cipher?):
            guard let bytes = publicBase64(Array(text.utf8)),
                let mac = publicBase64(Array(mac.utf8))
            else { return nil }
            seed = .encrypted(PSKCEncryptedValue(algorithm: cipher, bytes: bytes, mac: mac))
        case (_?, nil): return nil
        }
        record = TokenMetadata(
            serial: serial, account: row[1].text, issuer: row[2].text,
            state: VerifierState(
                parameters: TokenParameters(algorithm: algorithm, digits: digits, factor: factor),
                lastStep: row[7].number, driftSteps: drift),
            startUnixSeconds: row[9].number, expiryUnixSeconds: row[10].number, isHard: hard != 0)
        self.failures = failures
        failedUnixSeconds = failed
    }

    private static func factor(period: Int64?, counter: Int64?) -> MovingFactor? {
        switch (period, counter) {
        case (let period?, nil) where (1...3600).contains(period): .time(stepSeconds: Int(period))
        case (nil, let counter?) where (0...lastCounter + 1).contains(counter):
            .counter(UInt64(counter))
        default: nil
        }
    }
}

extension TokenMetadata {
    /// The values of a new row.
    func row(_ seed: WrittenSeed) -> [SQLValue] {
        var values: [SQLValue] = [
            .text(serial), SQLValue(account), SQLValue(issuer),
            .text(state.parameters.algorithm.name),
            .integer(Int64(state.parameters.digits.value)),
        ]
        switch state.parameters.factor {
        case .time(let seconds): values += [.integer(Int64(seconds)), .null]
        case .counter(let counter): values += [.null, .integer(Int64(counter))]
        }
        values += [
            SQLValue(state.lastStep), .integer(state.driftSteps), SQLValue(startUnixSeconds),
            SQLValue(expiryUnixSeconds), .integer(isHard ? 1 : 0),
        ]
        return values + seed.values + [.integer(0), .integer(0)]
    }
}

extension WrittenSeed {
    /// The columns seed and mac.
    var values: [SQLValue] {
        switch self {
        case .plain(let text): [.text(String(decoding: text, as: UTF8.self)), .null]
        case .encrypted(let value, let mac):
            [.text(base64Encoded(value)), .text(base64Encoded(mac))]
        }
    }
}

extension RecordsStore {
    /// The row of a serial.
    ///
    /// - Throws: `Failure`; 66 where there is none, 65 for one that is damaged.
    func token(_ serial: String) throws(Failure) -> StoredToken {
        let cipher = try protection()?.cipherName
        let rows = try catching { (database) throws(DatabaseError) in
            try database.rows(
                "SELECT \(tokenColumns) FROM tokens WHERE serial = ?", [.text(serial)])
        }
        guard let row = rows.first else {
            throw Failure(
                .missing, "\(path) has no token of this serial", hint: "it is on the token's back")
        }
        guard let token = StoredToken(row, cipher: cipher) else {
            throw Failure(.rejected, "\(path) is damaged: its row of token \(serial) is none")
        }
        return token
    }

    /// The one token of an account.
    ///
    /// - Throws: `Failure`: 66, or 64 where it has several.
    func serial(ofAccount account: String) throws(Failure) -> String {
        let rows = try catching { (database) throws(DatabaseError) in
            try database.rows(
                "SELECT serial FROM tokens WHERE account = ? LIMIT 2", [.text(account)])
        }
        return try theOne(rows.compactMap { $0[0].text }, account: account, path: path)
    }

    /// Lends every row, in the order of the serials.
    ///
    /// - Throws: `Failure`; 65 for a row that is damaged.
    func each(_ body: (StoredToken) throws(Failure) -> Void) throws(Failure) {
        let cipher = try protection()?.cipherName
        var failure: Failure?
        try catching { (database) throws(DatabaseError) in
            try database.run("SELECT \(tokenColumns) FROM tokens ORDER BY serial") { row in
                guard failure == nil else { return }
                guard let token = StoredToken(row, cipher: cipher) else {
                    failure = Failure(.rejected, "\(path) is damaged: a row is no token's")
                    return
                }
                do throws(Failure) { try body(token) } catch { failure = error }
            }
        }
        if let failure { throw failure }
    }
}
