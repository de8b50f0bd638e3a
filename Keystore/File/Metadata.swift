// The encrypted metadata: tokens' names and parameters and the trusted issuers, decoded with
// ordinary code because none of it is a seed. Bound by FORMAT.md §5 ("Metadata").
package import OTP

/// What is kept of a token besides its seed.
package struct TokenMetadata: Equatable, Sendable {
    /// How the token came.
    package enum Origin: UInt8, Sendable {
        case signed = 1
        case unsigned = 2
    }

    /// Random, not 0, unique in the keystore.
    package let id: UInt64
    let slot: UInt32
    package var name: String
    package let issuer: String?
    package let account: String?
    package let serial: String?
    package var parameters: TokenParameters
    package let activatedUnixSeconds: Int64
    /// Until when the verifiers may not know it yet.
    package let pendingUntilUnixSeconds: Int64?
    package let expiresUnixSeconds: Int64?
    package let origin: Origin
    package var warnings: TokenWarnings
    package let policy: TokenPolicy
}

/// An issuer whose signing key is trusted.
package struct TrustedIssuer: Equatable, Sendable {
    package let key: VerifyingKey
    /// 1...64 bytes.
    package let name: String

    package init(key: VerifyingKey, name: String) {
        self.key = key
        self.name = name
    }
}

/// The decrypted metadata.
struct Metadata: Equatable, Sendable {
    static let maximumTokens = 16_384
    static let maximumIssuers = 255

    var tokens: [TokenMetadata] = []
    var issuers: [TrustedIssuer] = []
    /// The generation of the used links with which a token was last saved; 0: none was.
    var usedLinks: UInt64 = 0

    init() {}

    /// The strictest policy of all tokens.
    var policy: TokenPolicy {
        tokens.reduce(TokenPolicy()) { $0.combined(with: $1.policy) }
    }

    var encoded: [UInt8] {
        var content = ByteWriter()
        content.append(UInt32(tokens.count))
        for token in tokens { token.encode(to: &content) }
        content.append(UInt8(issuers.count))
        for issuer in issuers {
            content.append(issuer.key.bytes)
            content.append(string: issuer.name)
        }
        if usedLinks > 0 { content.append(usedLinks) }
        var padded = ByteWriter()
        padded.append(UInt32(content.bytes.count))
        padded.append(content.bytes)
        padded.pad(toMultipleOf: Header.sectionUnit)
        return padded.bytes
    }

    /// Parses the padded metadata; nil if it breaks FORMAT.md §5.
    init?(_ bytes: [UInt8], slotCount: Int) {
        var outer = ByteReader(bytes)
        guard let length = outer.integer(UInt32.self), let content = outer.bytes(Int(length)),
            outer.isRestZero
        else { return nil }
        var reader = ByteReader(content)
        guard let count = reader.integer(UInt32.self), count <= slotCount else { return nil }
        tokens.reserveCapacity(Int(count))
        for _ in 0..<count {
            guard let token = TokenMetadata(&reader), token.slot < slotCount else { return nil }
            tokens.append(token)
        }
        guard let issuerCount = reader.integer(UInt8.self) else { return nil }
        for _ in 0..<issuerCount {
            guard let x = reader.bytes(32), let key = VerifyingKey(x),
                let name = reader.string(1...64)
            else { return nil }
            issuers.append(TrustedIssuer(key: key, name: name))
        }
        if !reader.isAtEnd {
            guard let usedLinks = reader.integer(UInt64.self), (1...1 << 63).contains(usedLinks)
            else { return nil }
            self.usedLinks = usedLinks
        }
        guard reader.isAtEnd, hasNoDoubles, encoded.count == bytes.count else { return nil }
    }

    private var hasNoDoubles: Bool {
        Set(tokens.map(\.id)).count == tokens.count
            && Set(tokens.map(\.slot)).count == tokens.count
            && Set(tokens.map(\.name)).count == tokens.count
            && Set(issuers.map(\.key.bytes)).count == issuers.count
    }
}

extension TokenMetadata {
    fileprivate func encode(to writer: inout ByteWriter) {
        writer.append(id)
        writer.append(slot)
        writer.append(activatedUnixSeconds)
        writer.append(pendingUntilUnixSeconds ?? 0)
        writer.append(expiresUnixSeconds ?? 0)
        switch parameters.factor {
        case .time(let stepSeconds):
            writer.append(UInt8(1))
            writer.append(UInt64(stepSeconds))
        case .counter(let next):
            writer.append(UInt8(2))
            writer.append(next)
        }
        writer.append(parameters.algorithm.rawValue)
        writer.append(UInt8(parameters.digits.value))
        writer.append(origin.rawValue)
        writer.append(warnings.rawValue)
        policy.encode(to: &writer)
        writer.append(string: name)
        writer.append(string: issuer ?? "")
        writer.append(string: account ?? "")
        writer.append(string: serial ?? "")
    }

    fileprivate init?(_ reader: inout ByteReader) {
        guard let id = reader.integer(UInt64.self), id != 0,
            let slot = reader.integer(UInt32.self), let activated = reader.integer(Int64.self),
            let pending = reader.integer(Int64.self), let expires = reader.integer(Int64.self),
            let parameters = TokenParameters(&reader),
            let origin = reader.integer(UInt8.self).flatMap(Origin.init(rawValue:)),
            let warnings = reader.integer(UInt8.self),
            TokenWarnings.all.contains(TokenWarnings(rawValue: warnings)),
            parameters.hasCounter || warnings & TokenWarnings.counterUnknown.rawValue == 0,
            let policy = TokenPolicy(&reader), let name = reader.string(1...64),
            let issuer = reader.string(0...255), let account = reader.string(0...255),
            let serial = reader.string(0...64)
        else { return nil }
        self.init(
            id: id, slot: slot, name: name, issuer: issuer.isEmpty ? nil : issuer,
            account: account.isEmpty ? nil : account, serial: serial.isEmpty ? nil : serial,
            parameters: parameters, activatedUnixSeconds: activated,
            pendingUntilUnixSeconds: pending == 0 ? nil : pending,
            expiresUnixSeconds: expires == 0 ? nil : expires, origin: origin,
            warnings: TokenWarnings(rawValue: warnings), policy: policy)
    }
}

extension TokenParameters {
    var hasCounter: Bool {
        if case .counter = factor { true } else { false }
    }

    /// The largest counter that JSON carries exactly: CONTRACT §4.
    package static let maximumCounter: UInt64 = (1 << 53) - 1
    /// CONTRACT §5's limits, the wider of the two link forms'.
    package static let timeStepSeconds = 1...300

    fileprivate init?(_ reader: inout ByteReader) {
        guard let type = reader.integer(UInt8.self), let factor = reader.integer(UInt64.self),
            let algorithm = reader.integer(UInt8.self).flatMap(HashAlgorithm.init(rawValue:)),
            let digits = reader.integer(UInt8.self).flatMap({ DigitCount(Int($0)) })
        else { return nil }
        switch type {
        case 1:
            guard factor <= 300, TokenParameters.timeStepSeconds.contains(Int(factor)) else {
                return nil
            }
            self.init(
                algorithm: algorithm, digits: digits, factor: .time(stepSeconds: Int(factor)))
        case 2:
            // One more than the last counter that may be used: the token is then at its end.
            guard factor <= TokenParameters.maximumCounter + 1 else { return nil }
            self.init(algorithm: algorithm, digits: digits, factor: .counter(factor))
        default: return nil
        }
    }
}
