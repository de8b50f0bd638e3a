// An issuer's public file, which `softtoken-issuer keygen` writes. Bound by CONTRACT §4.
import Activation
import Keystore

/// An issuer's name and signing key, to be trusted.
public struct IssuerKeyFile: Equatable, Sendable {
    let file: IssuerFile

    /// The name, 1 to 64 bytes of UTF-8.
    public var name: String { file.name }
    /// `XXXX-XXXX-XXXX-XXXX`, to be compared with what the issuer says.
    public var fingerprint: String { file.key.fingerprint() }

    /// Reads the bytes of FILE.pub.
    ///
    /// - Throws: `rejected`.
    public init(parsing bytes: [UInt8]) throws(AuthenticatorError) {
        file = try judging(try IssuerFile(parsing: bytes.span))
    }
}
