// An issuer's public file, which `softtoken-issuer keygen` writes and `softtoken issuer add` takes.
// Bound by CONTRACT §4.
package import Keystore

/// An issuer's name and signing key.
package struct IssuerFile: Equatable, Sendable {
    package let name: String
    package let key: VerifyingKey

    /// - Returns: nil where the name can't be shown or isn't 1...64 bytes.
    package init?(name: String, key: VerifyingKey) {
        guard isAcceptableText(name, bytes: 1...64) else { return nil }
        self.name = name
        self.key = key
    }

    /// Parses a file's bytes.
    ///
    /// - Throws: `ActivationError.malformedJSON`, `.unknownMember`, `.missingMember`,
    ///   `.rejectedMember`.
    package init(parsing file: Span<UInt8>) throws(ActivationError) {
        guard file.count <= maximumLinkByteCount else { throw .tooLong }
        let object = try JSONObject(file.publicBytes, as: .issuerFile)
        try object.requireOnly([.name, .key], in: .issuerFile)
        name = try object.text(.name, bytes: 1...64)
        key = try signingKey(try object.object(.key))
    }

    /// The file's bytes: one line.
    package var bytes: [UInt8] {
        let object: JSONValue = ["name": .string(name), "jwk": jwk(key)]
        return object.bytes + [UInt8(ascii: "\n")]
    }
}
