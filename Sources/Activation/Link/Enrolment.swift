// The opened content of a link, signed or not: what a token is made from. Bound by CONTRACT §4, §5.
package import Keystore
package import OTP

/// An opened link.
package struct Enrolment: ~Copyable {
    package let origin: TokenMetadata.Origin
    package let issuer: String?
    package let account: String?
    package let serial: String?
    package let parameters: TokenParameters
    package let warnings: TokenWarnings
    /// For how many seconds after its activation the token is pending.
    package let pendingSeconds: Int
    /// When the token ends, seconds since 1970.
    package let expiresUnixSeconds: Int64?
    package let policy: TokenPolicy
    /// Prescribing records, each as the string it is in the link.
    package let prescribing: [String]
    /// The signed link's identity, 16 bytes.
    package let jti: [UInt8]?
    /// privacyIDEA's two-step: this device's part, base32check in groups of four, to be typed into
    /// the page that showed the link.
    package let clientPart: String?
    private let seed: Seed

    init(
        origin: TokenMetadata.Origin, identity: LinkIdentity, parameters: TokenParameters,
        warnings: TokenWarnings, seed: consuming Seed, terms: LinkTerms = LinkTerms(),
        jti: [UInt8]? = nil, clientPart: String? = nil
    ) {
        self.origin = origin
        issuer = identity.issuer
        account = identity.account
        serial = identity.serial
        self.parameters = parameters
        self.warnings = warnings
        pendingSeconds = terms.pendingSeconds
        expiresUnixSeconds = terms.expiresUnixSeconds
        policy = terms.policy
        prescribing = terms.prescribing
        self.jti = jti
        self.clientPart = clientPart
        self.seed = seed
    }

    /// Whether two links make the same token.
    borrowing func isSame(as other: borrowing Enrolment) -> Bool {
        issuer == other.issuer && account == other.account && parameters == other.parameters
            && seed.matches(other.seed)
    }

    /// Gives up the seed, which goes into the keystore.
    package consuming func takeSeed() -> Seed { seed }

    /// A name for the token that the prescriber can take over: 1...64 bytes.
    package var suggestedName: String {
        let parts = [issuer, account ?? serial].compactMap { $0 }
        var name = parts.joined(separator: " ")
        while name.utf8.count > 64 { name.removeLast() }
        while name.last == " " { name.removeLast() }
        return isTokenName(name) ? name : "token"
    }
}

/// Whom a link is for.
package struct LinkIdentity: Equatable, Sendable {
    package let issuer: String?
    package let account: String?
    package let serial: String?
}

/// What a signed link asks for besides the seed; an unsigned one asks for nothing.
package struct LinkTerms: Equatable, Sendable {
    package var pendingSeconds = 0
    /// When the token ends, seconds since 1970.
    package var expiresUnixSeconds: Int64?
    package var policy = TokenPolicy()
    /// At most 8 prescribing records.
    package var prescribing: [String] = []

    package init() {}
}
