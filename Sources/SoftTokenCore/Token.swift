// The public description of a token: never its seed, never the digits. Bound by CONTRACT §3 (`list`).
package import Keystore
package import OTP

/// One activated generator.
public struct Token: Equatable, Sendable, Identifiable {
    /// Where a token stands in its life.
    public enum State: String, Sendable {
        /// The verifiers may not know it yet.
        case pending
        case active
        case expired
    }

    /// 16 hexadecimal digits.
    public var id: String { tokenIDText(record.id) }
    public var name: String { record.name }
    public var issuer: String? { record.issuer }
    public var account: String? { record.account }
    public var serial: String? { record.serial }
    package let record: TokenRecord

    package init(_ record: TokenRecord) { self.record = record }

    package var parameters: TokenParameters { record.parameters }

    /// The token's state at a moment, Unix seconds.
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
        let exact = filter { $0.name == argument || $0.serial == argument }
        if !exact.isEmpty { return choice(exact) }
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
