// The opened content of a link, signed or not: what a token is made from. Bound by CONTRACT §4, §5.
package import Keystore
package import OTP

/// An opened link.
package struct Enrolment: ~Copyable {
    package let origin: TokenMetadata.Origin
    package let identity: LinkIdentity
    package let parameters: TokenParameters
    package let warnings: TokenWarnings
    package let terms: LinkTerms
    /// The signed link's own number, 16 bytes.
    package let jti: [UInt8]?
    /// privacyIDEA's two-step: this device's part, base32check in groups of four, to be typed into
    /// the page that showed the link.
    package let clientPart: String?
    /// What the link asks for while its seed has one of two parts.
    private let twoStep: TwoStep?
    private let seed: Seed

    init(
        origin: TokenMetadata.Origin, identity: LinkIdentity, parameters: TokenParameters,
        warnings: TokenWarnings, seed: consuming Seed, terms: LinkTerms = LinkTerms(),
        jti: [UInt8]? = nil, twoStep: TwoStep? = nil, clientPart: String? = nil
    ) {
        self.origin = origin
        self.identity = identity
        self.parameters = parameters
        self.warnings = warnings
        self.terms = terms
        self.jti = jti
        self.twoStep = twoStep
        self.clientPart = clientPart
        self.seed = seed
    }

    /// The enrolment with its whole seed: where the link holds one part, this device draws the other.
    ///
    /// - Throws: `ActivationError.outOfMemory`.
    consuming func completed(
        drawing: (Int) -> [UInt8]
    ) throws(ActivationError) -> Enrolment {
        guard let twoStep else { return self }
        let part = drawing(twoStep.saltByteCount)
        return Enrolment(
            origin: origin, identity: identity, parameters: parameters, warnings: warnings,
            seed: try twoStep.complete(seed, clientPart: part), clientPart: base32Check(part))
    }

    /// Whether two links make the same token.
    borrowing func isSame(as other: borrowing Enrolment) -> Bool {
        identity == other.identity && parameters == other.parameters && twoStep == other.twoStep
            && seed.matches(other.seed)
    }

    /// Gives up the seed, which goes into the keystore.
    package consuming func takeSeed() -> Seed { seed }

    /// A name for the token that the prescriber can take over: 1...64 bytes.
    package var suggestedName: String {
        let parts = [identity.issuer, identity.account ?? identity.serial].compactMap { $0 }
        var name = parts.joined(separator: " ")
        while name.utf8.count > 64 { name.removeLast() }
        while name.last == " " { name.removeLast() }
        return isTokenName(name) ? name : "token"
    }
}

/// Whom a link is for: what tells one link of a mail from another.
package struct LinkIdentity: Equatable, Sendable {
    package let issuer: String?
    package let account: String?
    package let serial: String?
}

/// What a signed link asks for besides the seed; an unsigned one asks for nothing.
package struct LinkTerms: Equatable, Sendable {
    /// For how many seconds after its activation the token is pending.
    package var pendingSeconds = 0
    /// When the token ends, seconds since 1970.
    package var expiresUnixSeconds: Int64?
    package var policy = TokenPolicy()
    /// At most 8 prescribing records, each as the string it is in the link.
    package var prescribing: [String] = []

    package init() {}
}
