// What a token's OTPs are like, on the command line and in a CSV row: CONTRACT §4, §6.
import ArgumentParser
import OTP

struct TokenOptions: ParsableArguments {
    @Flag(help: "A token that counts (RFC 4226) instead of one that follows the clock.")
    var hotp = false

    @Option(help: .taking("algorithm", "SHA1, SHA256 or SHA512."))
    var algorithm: AlgorithmName = .sha1

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
            algorithm: algorithm.algorithm, digits: digits,
            factor: hotp ? .counter(0) : .time(stepSeconds: period ?? 30))
    }
}

/// The names of CONTRACT §4, in either case.
enum AlgorithmName: String, ExpressibleByArgument, CaseIterable {
    case sha1 = "SHA1"
    case sha256 = "SHA256"
    case sha512 = "SHA512"

    init?(argument: String) { self.init(rawValue: argument.uppercased()) }

    var algorithm: HashAlgorithm {
        switch self {
        case .sha1: .sha1
        case .sha256: .sha256
        case .sha512: .sha512
        }
    }
}
