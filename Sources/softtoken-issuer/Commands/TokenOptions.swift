// What a token's OTPs are like, on the command line and in a CSV row: CONTRACT §4, §6.
import ArgumentParser
import OTP

struct TokenOptions: ParsableArguments {
    @Flag(help: "A token that counts (RFC 4226) instead of one that follows the clock.")
    var hotp = false

    @Option(help: .taking("algorithm", "SHA1, SHA256 or SHA512."))
    var algorithm: HashAlgorithm = .sha1

    @Option(parsing: .unconditional, help: .taking("n", "How many digits an OTP has: 6 to 8."))
    var digits: Int = 6

    @Option(
        parsing: .unconditional,
        help: .taking("seconds", "The time step: 15 to 120; 30 unless given."))
    var period: Int?

    func validate() throws {
        try require(digits, in: 6...8, "--digits")
        if let period { try require(period, in: 15...120, "--period") }
        guard !hotp || period == nil else {
            throw ValidationError("--period is for tokens that follow the clock")
        }
    }

    var parameters: TokenParameters {
        guard let digits = DigitCount(digits) else { preconditionFailure("validated") }
        return TokenParameters(
            algorithm: algorithm, digits: digits,
            factor: hotp ? .counter(0) : .time(stepSeconds: period ?? 30))
    }
}

/// The names of CONTRACT §4, in either case.
extension HashAlgorithm: ExpressibleByArgument {
    public init?(argument: String) {
        guard let algorithm = HashAlgorithm(name: argument.uppercased()) else { return nil }
        self = algorithm
    }

    public static var allValueStrings: [String] { allCases.map(\.name) }
    public var defaultValueDescription: String { name }

    init?(name: String) {
        guard let algorithm = HashAlgorithm.allCases.first(where: { $0.name == name }) else {
            return nil
        }
        self = algorithm
    }
}
