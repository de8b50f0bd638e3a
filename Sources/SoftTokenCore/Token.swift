// The public description of a token: never its seed, never the digits. Bound by CONTRACT §3 (`list`).
package import Keystore
package import OTP

/// Describes one activated generator. It holds no seed: a token's seed stays in the keystore, and
/// what comes out of it is a `OneTimePassword`. CONTRACT §3 (`list`).
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

    /// Tells tokens apart in the keystore and the audit log: 16 lower-case hexadecimal digits, drawn
    /// at random at activation. Not secret.
    public var id: String { tokenIDText(record.id) }
    /// What the prescriber calls it: 1 to 64 bytes of UTF-8, unique in the keystore (NFC), without
    /// control characters. CONTRACT §1 ("Text").
    public var name: String { record.name }
    /// Who made it, at most 255 bytes of UTF-8; nil if the link named nobody.
    public var issuer: String? { record.issuer }
    /// Whom it is for, at most 255 bytes of UTF-8; nil if the link named nobody.
    public var account: String? { record.account }
    /// The number that the issuer knows it by, at most 64 bytes of UTF-8; nil for a link without
    /// one, as otpauth links are.
    public var serial: String? { record.serial }
    package let record: TokenRecord

    package init(_ record: TokenRecord) { self.record = record }

    package var parameters: TokenParameters { record.parameters }

    /// The token's state at a moment.
    ///
    /// - Parameter now: Unix seconds. From the second at which it expires a token is expired; it is
    ///   pending up to and without the second at which that ends.
    public func state(atUnixSeconds now: Int64) -> State {
        if let expires = record.expiresUnixSeconds, now >= expires { return .expired }
        if let pending = record.pendingUntilUnixSeconds, now < pending { return .pending }
        return .active
    }

    /// Until when it may not be accepted yet, if that lies ahead.
    package func pendingUntil(atUnixSeconds now: Int64) -> Int64? {
        guard let pending = record.pendingUntilUnixSeconds, now < pending else { return nil }
        return pending
    }
}

/// What a person's TOKEN argument fits.
package enum TokenChoice: Equatable, Sendable {
    case one(Token)
    case several([Token])
    case none
}

extension Array where Element == Token {
    /// Finds a token by name, serial, or an unambiguous start of either; without an argument the
    /// only one. CONTRACT §1.
    package func choose(_ argument: String?) -> TokenChoice {
        guard let argument else { return choice(self) }
        // Everything begins with nothing: a script's empty variable must not remove a token.
        guard !argument.isEmpty else { return .none }
        // A name is unique, and is what the prescriber chose.
        for exact in [filter { $0.name == argument }, filter { $0.serial == argument }]
        where !exact.isEmpty {
            return choice(exact)
        }
        return choice(
            filter { token in
                token.name.hasPrefix(argument) || token.serial?.hasPrefix(argument) == true
            })
    }

    private func choice(_ fitting: [Token]) -> TokenChoice {
        switch fitting.count {
        case 0: .none
        case 1: .one(fitting[0])
        default: .several(fitting)
        }
    }
}
