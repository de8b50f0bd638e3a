// The public description of a token: never its seed, never the digits. Bound by CONTRACT §3 (`list`).
import Keystore
import Linux
import OTP

/// Describes one activated generator. It holds no seed: a token's seed stays in the keystore, and
/// what comes out of it is a ``OneTimePassword``. CONTRACT §3 (`list`).
public struct Token: Equatable, Sendable, Identifiable {
    /// Where a token stands in its life, as JSON names it.
    public enum State: String, Sendable {
        /// The verifiers may not know it yet: an OTP is shown, with a warning.
        case pending
        /// It can be used.
        case active
        /// Its time is over: no OTP is made any more.
        case expired
    }

    /// What moves the OTP.
    public enum Kind: Equatable, Sendable {
        /// TOTP: the time, in steps of so many seconds.
        case totp(stepSeconds: Int)
        /// HOTP: the counter to be used next; nil once the last, 2^53 - 1, is used.
        case hotp(nextCounter: UInt64?)

        /// As JSON names it.
        public var name: String {
            switch self {
            case .totp: "totp"
            case .hotp: "hotp"
            }
        }
    }

    /// The hash function under its HMAC, as JSON names it.
    public enum Algorithm: String, Sendable {
        case sha1 = "SHA1"
        case sha256 = "SHA256"
        case sha512 = "SHA512"
    }

    /// What was odd about its link.
    public enum Warning: Sendable {
        /// Its seed has under 16 bytes: RFC 4226 R6.
        case shortSeed
        /// Its link named two different issuers.
        case issuerDiffers
        /// An older keystore was put back: its next counter is not known, and it makes no OTP.
        case counterUnknown

        /// In words: lower case, no full stop.
        public var words: String {
            switch self {
            case .counterUnknown: "its next counter is not known"
            case .shortSeed: "the seed is shorter than 16 bytes"
            case .issuerDiffers: "the link named two different issuers"
            }
        }
    }

    /// Tells tokens apart in the keystore and the audit log: 16 lower-case hexadecimal digits, drawn
    /// at random at activation. Not secret.
    public var id: String { tokenIDText(metadata.id) }
    /// What the prescriber calls it: 1 to 64 bytes of UTF-8, unique in the keystore (NFC), without
    /// control characters. CONTRACT §1 ("Text").
    public var name: String { metadata.name }
    /// Who made it, at most 255 bytes of UTF-8; nil if the link named nobody.
    public var issuer: String? { metadata.issuer }
    /// Whom it is for, at most 255 bytes of UTF-8; nil if the link named nobody.
    public var account: String? { metadata.account }
    /// The number that the issuer knows it by, at most 64 bytes of UTF-8; nil for a link without
    /// one, as otpauth links are.
    public var serial: String? { metadata.serial }
    /// How its OTPs follow each other.
    public var kind: Kind {
        switch parameters.factor {
        case .time(let seconds): .totp(stepSeconds: seconds)
        case .counter(let next):
            .hotp(nextCounter: next <= TokenParameters.maximumCounter ? next : nil)
        }
    }
    public var algorithm: Algorithm {
        switch parameters.algorithm {
        case .sha1: .sha1
        case .sha256: .sha256
        case .sha512: .sha512
        }
    }
    /// How many digits an OTP has: 6 to 8.
    public var digits: Int { parameters.digits.value }
    /// Whether its link was signed; an unsigned one held the seed for everybody who read it.
    public var isFromSignedLink: Bool { metadata.origin == .signed }
    public var warnings: [Warning] {
        let all: [(TokenWarnings, Warning)] = [
            (.counterUnknown, .counterUnknown), (.shortSeed, .shortSeed),
            (.issuerDiffers, .issuerDiffers),
        ]
        return all.filter { metadata.warnings.contains($0.0) }.map(\.1)
    }
    /// When it was activated, Unix seconds.
    public var activatedAtUnixSeconds: Int64 { metadata.activatedUnixSeconds }
    /// Until when the verifiers may not know it, Unix seconds, whether or not that has passed.
    public var pendingUntilUnixSeconds: Int64? { metadata.pendingUntilUnixSeconds }
    /// When it ends, Unix seconds; nil for a token without an end.
    public var expiresAtUnixSeconds: Int64? { metadata.expiresUnixSeconds }

    let metadata: TokenMetadata
    var parameters: TokenParameters { metadata.parameters }

    init(_ metadata: TokenMetadata) { self.metadata = metadata }

    /// The token's state at a moment.
    ///
    /// - Parameter now: Unix seconds. From the second at which it expires a token is expired; it is
    ///   pending up to and without the second at which that ends.
    public func state(atUnixSeconds now: Int64) -> State {
        if let expires = metadata.expiresUnixSeconds, now >= expires { return .expired }
        if let pending = metadata.pendingUntilUnixSeconds, now < pending { return .pending }
        return .active
    }

    /// Until when it may not be accepted yet, Unix seconds, if that lies ahead of `now`.
    public func pendingUntil(atUnixSeconds now: Int64) -> Int64? {
        guard let pending = metadata.pendingUntilUnixSeconds, now < pending else { return nil }
        return pending
    }
}

extension Array where Element == Token {
    /// Those that a person's TOKEN argument fits: by name, serial, or a start of either; without an
    /// argument all. CONTRACT §1.
    func fitting(_ argument: String?) -> [Token] {
        guard let argument else { return self }
        // Every name begins with the empty text: a script's empty variable must not remove a token.
        guard !argument.isEmpty else { return [] }
        // A name is unique, and is what the prescriber chose.
        for exact in [filter { $0.name == argument }, filter { $0.serial == argument }]
        where !exact.isEmpty {
            return exact
        }
        let begun = filter { token in
            token.name.hasPrefix(argument) || token.serial?.hasPrefix(argument) == true
        }
        return begun.isEmpty ? fitting(folded: argument.lowercased()) : begun
    }

    /// Those that fit in any case: of the whole names and serials, or else of how they begin.
    private func fitting(folded argument: String) -> [Token] {
        let whole = filter { token in
            token.name.lowercased() == argument || token.serial?.lowercased() == argument
        }
        guard whole.isEmpty else { return whole }
        return filter { token in
            token.name.lowercased().hasPrefix(argument)
                || token.serial?.lowercased().hasPrefix(argument) == true
        }
    }

    /// The name that was probably meant by an argument that fits none: one that is like it, begins
    /// with a word like it, or holds it.
    func nearestName(to argument: String) -> String? {
        let argument = argument.asSeen.lowercased()
        guard !argument.isEmpty else { return nil }
        let seen = map { (name: $0.name, seen: $0.name.asSeen.lowercased()) }
        let spellings = seen.flatMap { token in
            [(token.seen, token.name), (token.seen.prefix { $0 != " " }.description, token.name)]
        }
        let folded = Dictionary(spellings) { first, _ in first }
        return nearest(to: argument, among: folded.keys.sorted()).flatMap { folded[$0] }
            ?? seen.first { $0.seen.holds(argument) }?.name
    }
}
