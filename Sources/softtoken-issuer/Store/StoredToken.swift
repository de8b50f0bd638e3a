// A row of the store and what it means. Bound by RECORDS.md §7.
import Keystore
import OTP
import SoftTokenCore

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

    var isRevoked: Bool { expiryUnixSeconds.map { $0 <= revokedUnixSeconds } ?? false }

    /// Whether it may be used now.
    func check(at unixSeconds: Int64) throws(Failure) {
        if let startUnixSeconds, unixSeconds < startUnixSeconds { throw .notYetValid }
        if let expiryUnixSeconds, unixSeconds >= expiryUnixSeconds {
            throw .ended(atUnixSeconds: expiryUnixSeconds)
        }
        if case .counter(let counter) = state.parameters.factor, counter > lastCounter {
            throw .counterAtEnd
        }
    }

    /// Whether it may be bound to an account; nil asks nothing.
    func check(bindingTo other: String?) throws(Failure) {
        guard other == nil || account == nil || account == other else {
            throw Failure(
                .policy, "token \(serial) is bound to another account already",
                hint: "take its UserId out of the records if that is what you want")
        }
    }
}

/// A row.
struct StoredToken: Sendable {
    let record: TokenMetadata
    private let seed: PSKCValue

    func seed(_ keyring: PSKCKeyring) throws(Failure) -> Seed {
        try ofToken(record.serial, try keyring.seed(seed))
    }
}

extension SQLValue {
    /// What base64 spells.
    var bytes: [UInt8]? { text.flatMap { publicBase64(Array($0.utf8)) } }
}

/// The columns, in the order in which they are read and written.
private let columns = """
    serial, account, issuer, algorithm, digits, period, counter, step, drift, starts, expires, \
    hard, seed, mac, failures, failed
    """

extension StoredToken {
    /// - Returns: nil for a row that we can't have written.
    fileprivate init?(_ row: [SQLValue], cipher: String?) {
        guard let serial = row[0].text, let name = row[3].text,
            let algorithm = AlgorithmName(rawValue: name)?.algorithm,
            let digits = row[4].number.flatMap({ DigitCount(Int(clamping: $0)) }),
            let factor = StoredToken.factor(period: row[5].number, counter: row[6].number),
            let drift = row[8].number, drift.magnitude < 1 << 31, let hard = row[11].number,
            let text = row[12].text
        else { return nil }
        if row[13] == .null {
            seed = .plain(Array(text.utf8))
        } else {
            guard let cipher, let bytes = row[12].bytes, let mac = row[13].bytes else { return nil }
            seed = .encrypted(PSKCEncryptedValue(algorithm: cipher, bytes: bytes, mac: mac))
        }
        record = TokenMetadata(
            serial: serial, account: row[1].text, issuer: row[2].text,
            state: VerifierState(
                parameters: TokenParameters(algorithm: algorithm, digits: digits, factor: factor),
                lastStep: row[7].number, driftSteps: drift),
            startUnixSeconds: row[9].number, expiryUnixSeconds: row[10].number, isHard: hard != 0)
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
    func row(_ seed: PSKCValue) -> [SQLValue] {
        let (parameters, factor) = (state.parameters, state.parameters.factor.columns)
        return [
            .text(serial), SQLValue(account), SQLValue(issuer), .text(parameters.algorithm.name),
            .integer(Int64(parameters.digits.value)), factor.period, factor.counter,
            SQLValue(state.lastStep), .integer(state.driftSteps), SQLValue(startUnixSeconds),
            SQLValue(expiryUnixSeconds), .integer(isHard ? 1 : 0),
        ] + seed.columns + [.integer(0), .integer(0)]
    }
}

extension MovingFactor {
    var columns: (period: SQLValue, counter: SQLValue) {
        switch self {
        case .time(let seconds): (.integer(Int64(seconds)), .null)
        case .counter(let counter): (.null, .integer(Int64(counter)))
        }
    }
}

extension PSKCValue {
    /// The columns seed and mac.
    var columns: [SQLValue] {
        switch self {
        case .plain(let text): [.text(String(decoding: text, as: UTF8.self)), .null]
        case .encrypted(let value):
            [.text(base64Encoded(value.bytes)), .text(base64Encoded(value.mac ?? []))]
        }
    }
}

extension RecordsStore {
    /// The row of a serial.
    func token(_ serial: String) throws(Failure) -> StoredToken {
        var found: StoredToken?
        try each(where: "serial = ?", [.text(serial)]) { found = $0 }
        guard let found else { throw Failure(noSerialIn: path) }
        return found
    }

    /// The serial of a token, or of an account's one token that may be used.
    func serial(_ name: TokenName, at unixSeconds: Int64) throws(Failure) -> String {
        switch name {
        case .serial(let serial): return serial
        case .account(let account):
            var (usable, ended): ([String], [String]) = ([], [])
            try each(where: "account = ?", [.text(account)]) { token in
                let isUsable = (try? token.record.check(at: unixSeconds)) != nil
                if isUsable {
                    usable.append(token.record.serial)
                } else {
                    ended.append(token.record.serial)
                }
            }
            return try theOne(usable, ended: ended, account: account, path: path)
        }
    }

    /// Lends every row, or those that are meant, in the order of the serials.
    func each(
        where condition: String = "true", _ values: [SQLValue] = [],
        _ body: (StoredToken) throws(Failure) -> Void
    ) throws(Failure) {
        let cipher = try protection()?.cipherName
        try database.run(
            "SELECT \(columns) FROM tokens WHERE \(condition) ORDER BY serial", values
        ) { (row) throws(Failure) in
            guard let token = StoredToken(row, cipher: cipher) else {
                throw Failure(damaged: path, "the row of token \(row[0].text ?? "") is none")
            }
            try body(token)
        }
    }
}

extension Failure {
    init(noSerialIn path: String) {
        self.init(
            .notFound, "\(path) has no token of this serial",
            hint: "a hard token has it on its back, and softtoken list tells a soft token's")
    }
}
