// otpauth links as they are met in the wild, judged by CONTRACT §5. The seed's text goes from the
// link's bytes through guarded memory into a `Seed`; only issuer and account become Strings.
import Keystore
import Linux
import OTP

/// The longest link.
package let maximumLinkByteCount = 16 << 10
/// CONTRACT §5: a shorter seed is rejected.
let minimumSeedByteCount = 10

/// Parses an otpauth link.
///
/// - Parameter link: the whole link, without white space around it.
/// - Returns: the enrolment, whose seed may have one of two parts yet.
/// - Throws: `ActivationError`, whose case names what is wrong.
func parseOTPAuth(_ link: Span<UInt8>) throws(ActivationError) -> Enrolment {
    let parts = try OTPAuthParts(link)
    let query = try OTPAuthQuery(link, parts.query)
    try query.rejectEncoder(link)
    let algorithm = try query.algorithm(link)
    let digits = try query.digits(link)
    let factor = try query.factor(link, isTimed: parts.isTimed)
    let label = try OTPAuthLabel(link, parts.label, issuerParameter: query.issuer(link))
    let twoStep = try query.twoStep(link, algorithm)
    let seed = try query.seed(link)
    var warnings: TokenWarnings = label.issuerDiffers ? .issuerDiffers : []
    let byteCount = twoStep?.outputByteCount ?? seed.byteCount
    if byteCount < Seed.recommendedByteCount { warnings.insert(.shortSeed) }
    return Enrolment(
        origin: .unsigned, identity: label.identity,
        parameters: TokenParameters(algorithm: algorithm, digits: digits, factor: factor),
        warnings: warnings, seed: seed, twoStep: twoStep)
}

/// Where the parts of an otpauth link stand.
private struct OTPAuthParts {
    static let scheme = "otpauth://"
    /// totp, and not hotp.
    let isTimed: Bool
    let label: Range<Int>
    let query: Range<Int>

    init(_ link: Span<UInt8>) throws(ActivationError) {
        guard link.count <= maximumLinkByteCount else { throw .tooLong }
        guard link.hasPrefix(OTPAuthParts.scheme) else { throw .noLink }
        guard !link.indices.contains(where: { link[$0].isControl }) else {
            throw .controlCharacter
        }
        // A fragment is no part of the link's meaning: RFC 3986 §3.5.
        let end = link.firstIndex(of: "#", in: link.indices) ?? link.count
        let start = OTPAuthParts.scheme.utf8.count
        let pathEnd = link.firstIndex(of: "?", in: start..<end) ?? end
        query = min(pathEnd + 1, end)..<end
        let typeEnd = link.firstIndex(of: "/", in: start..<pathEnd) ?? pathEnd
        label = min(typeEnd + 1, pathEnd)..<pathEnd
        isTimed = link.hasPrefix("totp", at: start)
        guard typeEnd == start + 4, isTimed || link.hasPrefix("hotp", at: start) else {
            throw .unknownType
        }
    }
}

/// Where the values of the known parameters stand. Unknown ones are checked for what can't be a
/// link's (malformed percent-encoding, control characters) and ignored.
private struct OTPAuthQuery {
    private var values: [OTPAuthParameter: Range<Int>] = [:]

    init(_ link: Span<UInt8>, _ query: Range<Int>) throws(ActivationError) {
        var start = query.lowerBound
        while start < query.upperBound {
            let end = link.firstIndex(of: "&", in: start..<query.upperBound) ?? query.upperBound
            try add(link, start..<end)
            start = end + 1
        }
    }

    private mutating func add(_ link: Span<UInt8>, _ pair: Range<Int>) throws(ActivationError) {
        let nameEnd = link.firstIndex(of: "=", in: pair) ?? pair.upperBound
        let value = min(nameEnd + 1, pair.upperBound)..<pair.upperBound
        try link.decode(value)
        for parameter in OTPAuthParameter.allCases where parameter != .account {
            guard try link.isName(parameter.rawValue, pair.lowerBound..<nameEnd) else { continue }
            guard values.updateValue(value, forKey: parameter) == nil else {
                throw .repeatedParameter(parameter)
            }
        }
    }

    func rejectEncoder(_ link: Span<UInt8>) throws(ActivationError) {
        guard let value = values[.encoder], !value.isEmpty else { return }
        throw try link.isName("steam", value) ? .foreign(.steam) : .unsupportedEncoder
    }

    func algorithm(_ link: Span<UInt8>) throws(ActivationError) -> HashAlgorithm {
        guard let value = values[.algorithm] else { return .sha1 }
        let spellings: [(HashAlgorithm, [String])] = [
            (.sha1, ["sha1", "sha-1", "hmacsha1", "hmac-sha1", "hmac-sha-1"]),
            (.sha256, ["sha256", "sha-256", "hmacsha256", "hmac-sha256", "hmac-sha-256"]),
            (.sha512, ["sha512", "sha-512", "hmacsha512", "hmac-sha512", "hmac-sha-512"]),
        ]
        for (algorithm, names) in spellings {
            for name in names where try link.isName(name, value) { return algorithm }
        }
        throw .unknownAlgorithm
    }

    func digits(_ link: Span<UInt8>) throws(ActivationError) -> DigitCount {
        guard let digits = DigitCount(try number(link, .digits, in: 6...8) ?? 6) else {
            throw .rejectedNumber(.digits)
        }
        return digits
    }

    func factor(_ link: Span<UInt8>, isTimed: Bool) throws(ActivationError) -> MovingFactor {
        let period = try number(link, .period, in: 1...300)
        let counter = try number(link, .counter, in: 0...(1 << 53 - 1))
        if isTimed { return .time(stepSeconds: period ?? 30) }
        guard let counter else { throw .missingCounter }
        return .counter(UInt64(counter))
    }

    func issuer(_ link: Span<UInt8>) throws(ActivationError) -> [UInt8]? {
        guard let value = values[.issuer], !value.isEmpty else { return nil }
        return try link.decoded(value, plus: .space)
    }

    /// privacyIDEA's two-step, where one of its parameters is there.
    func twoStep(
        _ link: Span<UInt8>, _ algorithm: HashAlgorithm
    ) throws(ActivationError) -> TwoStep? {
        let salt = try number(link, .twoStepSalt, in: TwoStep.saltByteCounts)
        let output = try number(
            link, .twoStepOutput, in: minimumSeedByteCount...Seed.maximumByteCount)
        let difficulty = try number(link, .twoStepDifficulty, in: TwoStep.difficulties)
        guard salt != nil || output != nil || difficulty != nil else { return nil }
        return TwoStep(
            saltByteCount: salt ?? 8, outputByteCount: output ?? algorithm.macByteCount,
            difficulty: difficulty ?? 10_000)
    }

    func seed(_ link: Span<UInt8>) throws(ActivationError) -> Seed {
        guard let value = values[.secret] else { throw .missingSecret }
        guard !value.isEmpty else { throw .emptySecret }
        let text = try link.decodedSecret(value)
        let seed = try text.read(OTPAuthQuery.decodeSeed)
        guard seed.byteCount >= minimumSeedByteCount else { throw .seedTooShort }
        return seed
    }

    private static func decodeSeed(_ text: Span<UInt8>) throws(ActivationError) -> Seed {
        do throws(KeystoreError) { return try Seed(base32: text) } catch {
            switch error {
            case .malformedSeed(.empty): throw .emptySecret
            case .malformedSeed(.notBase32): throw .secretNotBase32
            case .malformedSeed(.tooLong): throw .seedTooLong
            default: throw .outOfMemory
            }
        }
    }

    /// A parameter's integer: ASCII digits without sign or leading zero.
    private func number(
        _ link: Span<UInt8>, _ parameter: OTPAuthParameter, in limits: ClosedRange<Int>
    ) throws(ActivationError) -> Int? {
        guard let value = values[parameter] else { return nil }
        let bytes = try link.decoded(value, plus: .itself)
        guard let number = decimal(bytes.span).map({ Int($0) }), limits.contains(number) else {
            throw .rejectedNumber(parameter)
        }
        return number
    }
}
