// What comes out: the digits with their validity. Only a `DisplaySession` gives them, and only
// `Authenticator.show` makes one. Bound by RFC 4226, RFC 6238 and DESIGN §1.6.

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

    /// Makes one of digits that are known already: what a test of an app's drawing needs.
    public init(digits: String, validity: Validity) {
        self.digits = digits
        self.validity = validity
    }
}
