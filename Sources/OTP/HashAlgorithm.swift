// The three hash functions of RFC 6238 §1.2, named once.

/// The hash function under a token's HMAC.
package enum HashAlgorithm: UInt8, Sendable, CaseIterable {
    case sha1 = 1
    case sha256 = 2
    case sha512 = 3

    /// The name in JSON, in links and in otpauth URIs.
    package var name: String {
        switch self {
        case .sha1: "SHA1"
        case .sha256: "SHA256"
        case .sha512: "SHA512"
        }
    }

    /// The MAC's length in bytes: RFC 2104 with FIPS 180-4's output sizes.
    package var macByteCount: Int {
        switch self {
        case .sha1: 20
        case .sha256: 32
        case .sha512: 64
        }
    }
}
