// The columns of `issue --csv`: which they are, and what a row means. Bound by CONTRACT §6, §4.
import Activation
import Linux
import OTP

/// Where the columns stand.
struct CSVColumns: Sendable {
    private enum Column: String, CaseIterable, Sendable {
        case account, serial, type, algorithm, digits, period, request, verification
    }

    private let positions: [Column: Int]
    private let count: Int
    /// Columns of other names, as they may be shown: somebody has to be told of them.
    let ignored: [String]

    /// - Throws: `Failure` (65) for a head without an account, with a name twice, or with one that was
    ///   probably mistyped: a column that was meant must not be dropped.
    init(_ head: [String]) throws(Failure) {
        var positions: [Column: Int] = [:]
        var ignored: [String] = []
        for (index, name) in head.enumerated() {
            let name = name.lowercased().filter { !$0.isWhitespace }
            guard let column = Column(rawValue: name) else {
                let shown = isAcceptableName(name, bytes: 1...32) ? name : "number \(index + 1)"
                if let meant = nearest(to: name, among: Column.allCases.map(\.rawValue)) {
                    throw .rejected("there is no column \(shown): is \(meant) meant?")
                }
                ignored.append(shown)
                continue
            }
            guard positions[column] == nil else {
                throw .rejected("the column \(column.rawValue) stands there twice")
            }
            positions[column] = index
        }
        guard positions[.account] != nil else {
            throw .rejected("the column account is missing")
        }
        guard positions[.request] == nil || positions[.verification] != nil else {
            throw .rejected(
                "the column verification is missing beside request: what each prescriber read out")
        }
        self.positions = positions
        self.ignored = ignored
        count = head.count
    }

    /// What a row asks for; an empty field takes the command line's value.
    func order(
        _ fields: [String], token: TokenOptions, terms: LinkTerms
    ) throws(Failure) -> TokenOrder {
        guard fields.count == count else {
            throw .rejected("it has \(fields.count) fields, the first row has \(count)")
        }
        let account = field(.account, fields) ?? ""
        guard isAcceptableName(account, bytes: 1...128) else {
            throw .rejected("an account has 1 to 128 bytes that can be shown")
        }
        let serial = field(.serial, fields) ?? TokenOrder.drawnSerial()
        guard isAcceptableName(serial, bytes: 1...32) else {
            throw .rejected("a serial has 1 to 32 bytes that can be shown")
        }
        return TokenOrder(
            account: account, serial: serial, parameters: try parameters(fields, token),
            terms: terms, lock: try lock(fields))
    }

    private func parameters(
        _ fields: [String], _ token: TokenOptions
    ) throws(Failure) -> TokenParameters {
        var parameters = token.parameters
        if let name = field(.algorithm, fields) {
            guard let algorithm = AlgorithmName(argument: name) else {
                throw .rejected("the algorithm is none of SHA1, SHA256 and SHA512")
            }
            parameters.algorithm = algorithm.algorithm
        }
        if let text = field(.digits, fields) {
            guard let number = Int(text), let digits = DigitCount(number) else {
                throw .rejected("digits are 6 to 8")
            }
            parameters.digits = digits
        }
        parameters.factor = try factor(fields, parameters.factor)
        return parameters
    }

    private func factor(
        _ fields: [String], _ standard: MovingFactor
    ) throws(Failure) -> MovingFactor {
        let (type, period) = (field(.type, fields)?.lowercased(), field(.period, fields))
        guard ["totp", "hotp", nil].contains(type) else {
            throw .rejected("the type is neither totp nor hotp")
        }
        guard let period else {
            return switch (type, standard) {
            case ("hotp", _): .counter(0)
            case ("totp", .counter): .time(stepSeconds: 30)
            default: standard
            }
        }
        guard type != "hotp" else { throw .rejected("a hotp token has no period") }
        guard let seconds = Int(period), (15...120).contains(seconds) else {
            throw .rejected("a period is 15 to 120 seconds")
        }
        return .time(stepSeconds: seconds)
    }

    /// Whoever can change mail can put a request of their own in its place: a row says what the
    /// prescriber read out, too. No message says the request's own verification, because it would be
    /// copied into the row.
    private func lock(_ fields: [String]) throws(Failure) -> TokenOrder.Lock {
        let heard = field(.verification, fields)
        guard let text = field(.request, fields) else {
            guard heard == nil else { throw .rejected("it has a verification and no request") }
            return .code(nil)
        }
        let request = try judging(try EnrolmentRequest(parsing: Array(text.utf8).span))
        guard let heard else {
            throw .rejected("it has a request and no verification: ask for it by telephone")
        }
        guard request.isVerified(by: heard) else {
            throw .rejected("the request has another verification: it isn't the prescriber's")
        }
        return .request(request)
    }

    /// nil for a column that isn't there, and for an empty field.
    private func field(_ column: Column, _ fields: [String]) -> String? {
        guard let position = positions[column] else { return nil }
        // Spaces around a field are nobody's account.
        let text = fields[position].drop(while: \.isWhitespace)
        let end = text.lastIndex { !$0.isWhitespace }
        return end.map { String(text[...$0]) }
    }
}
