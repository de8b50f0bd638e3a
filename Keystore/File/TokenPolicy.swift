// What an issuer or an administrator may ask for (CONTRACT §4, §5): limits that can only be made
// stricter. Every source is combined to the strictest before it is used (DESIGN §4, last lines).

/// A policy: each member that is nil asks for nothing.
package struct TokenPolicy: Equatable, Sendable {
    /// What a device must show about its separation.
    package enum Separation: UInt8, Sendable {
        /// An unverified device needs the prescriber's attestation.
        case attest = 1
        /// An unverified device is refused.
        case strict = 2
    }

    /// CONTRACT §4: 3...10 attempts.
    package static let attemptLimits = 3...10
    /// CONTRACT §4: 30...900 seconds.
    package static let sessionSeconds = 30...900
    /// NIST SP 800-63B-4 §3.2.10's ceiling.
    package static let defaultAttemptLimit = 10
    /// DESIGN §8.
    package static let defaultSessionSeconds = 300

    package var attempts: Int?
    package var sessionSeconds: Int?
    package var separation: Separation?

    package init(attempts: Int? = nil, sessionSeconds: Int? = nil, separation: Separation? = nil) {
        self.attempts = attempts
        self.sessionSeconds = sessionSeconds
        self.separation = separation
    }

    /// The stricter of two policies, member by member.
    package func combined(with other: TokenPolicy) -> TokenPolicy {
        TokenPolicy(
            attempts: smaller(attempts, other.attempts),
            sessionSeconds: smaller(sessionSeconds, other.sessionSeconds),
            separation: separation == .strict || other.separation == .strict
                ? .strict : separation ?? other.separation)
    }

    package var attemptLimit: Int { attempts ?? TokenPolicy.defaultAttemptLimit }
    package var sessionLimitSeconds: Int { sessionSeconds ?? TokenPolicy.defaultSessionSeconds }
}

/// What the administrator asked for when that could last be believed: hiding the file gains nothing
/// (DESIGN §6).
package struct SeenPolicy: Equatable, Sendable {
    package var policy: TokenPolicy
    package var forbidsUnsigned: Bool

    package init(policy: TokenPolicy = TokenPolicy(), forbidsUnsigned: Bool = false) {
        self.policy = policy
        self.forbidsUnsigned = forbidsUnsigned
    }
}

private func smaller(_ left: Int?, _ right: Int?) -> Int? {
    guard let left else { return right }
    guard let right else { return left }
    return min(left, right)
}

/// What was odd about a link that was accepted; `list` keeps it (CONTRACT §5).
package struct TokenWarnings: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Under 16 bytes: RFC 4226 R6.
    package static let shortSeed = TokenWarnings(rawValue: 1)
    /// The label's issuer is not the issuer parameter's.
    package static let issuerDiffers = TokenWarnings(rawValue: 2)
    /// An older keystore was put back: which HOTP counter comes next is not known, and the token
    /// makes no OTP any more. 4 was never given.
    package static let counterUnknown = TokenWarnings(rawValue: 8)
    package static let all: TokenWarnings = [.shortSeed, .issuerDiffers, .counterUnknown]
}
