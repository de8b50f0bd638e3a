// What comes out: the digits with their validity. Only `Authenticator` makes one, and only with a
// separation clearance in hand. Bound by RFC 4226, RFC 6238 and DESIGN §1.6.

/// The digits shown, and when they hold. It is secret until it is used or its time is over: don't
/// log it, and don't keep it. RFC 4226 §5.3, step 3; RFC 6238 §4.
public struct OneTimePassword: Equatable, Sendable {
    /// What moved it.
    public enum Validity: Equatable, Sendable {
        /// TOTP: from its time step's first second to the first that is no longer in it, Unix
        /// seconds by the device's clock. A verifier may accept it a little longer.
        case time(fromUnixSeconds: Int64, untilUnixSeconds: Int64)
        /// HOTP: the counter that was used, 0 to 2^53 - 1. It is on disk before the OTP is shown,
        /// and never used again.
        case counter(UInt64)
    }

    /// 6, 7 or 8 ASCII digits; leading zeros count.
    public let digits: String
    /// When they hold.
    public let validity: Validity
}

/// All the OTPs of one use: computed before the first is shown, when the seed is gone already.
package struct OneTimePasswords: Equatable, Sendable {
    /// DESIGN §8: at most so many in a session.
    package static let maximumCount = 64

    package let token: Token
    /// For TOTP one a step, beginning one step before now; for HOTP one.
    package let all: [OneTimePassword]
    /// The index in `all` of the one that holds at the session's start.
    package let currentIndex: Int

    package var current: OneTimePassword { all[currentIndex] }
}
