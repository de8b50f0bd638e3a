// An issuer's public file, which `softtoken-issuer keygen` writes and `softtoken issuer add` takes.
// Bound by CONTRACT §4.
package import Keystore
internal import Linux

/// An issuer's name and signing key.
package struct IssuerFile: Equatable, Sendable {
    package let name: String
    package let key: VerifyingKey

    /// - Returns: nil where the name can't be shown or isn't 1...64 bytes.
    package init?(name: String, key: VerifyingKey) {
        guard isTokenName(name) else { return nil }
        self.name = name
        self.key = key
    }

    /// Parses a file's bytes.
    ///
    /// - Throws: `ActivationError.privateKeyFile`, `.malformedJSON`, `.unknownMember`,
    ///   `.rejectedIssuerFile`, `.rejectedKey`, `.tooLongFile`.
    package init(parsing file: Span<UInt8>) throws(ActivationError) {
        guard file.count <= maximumLinkByteCount else { throw .tooLongFile }
        // Told before anything is copied: what stands there is the private key of all links.
        guard !holdsPrivateKey(file) else { throw .privateKeyFile }
        do throws(ActivationError) {
            let object = try JSONObject(file.publicBytes, as: .issuerFile)
            try object.requireOnly([.name, .key], in: .issuerFile)
            name = try object.text(.name, bytes: 1...64)
            key = try signingKey(try object.object(.key))
        } catch {
            // Of a member it is said that it is the file's, not a link's.
            switch error {
            case .missingMember(let member), .rejectedMember(let member):
                throw .rejectedIssuerFile(member)
            case .unknownMember: throw .unknownMember(.issuerFile)
            default: throw error
            }
        }
        guard key.isPoint else { throw .rejectedKey }
    }

    /// The file's bytes: one line.
    package var bytes: [UInt8] {
        let object: JSONValue = ["name": .string(name), "jwk": jwk(key)]
        return object.bytes + [UInt8(ascii: "\n")]
    }
}

/// Whether a member "d" stands in a file: RFC 8037's private key.
private func holdsPrivateKey(_ file: Span<UInt8>) -> Bool {
    var start = 0
    while let name = file.firstRange(of: "\"d\"", in: start..<file.count) {
        let next = (name.upperBound..<file.count).first { !file[$0].isWhiteSpace }
        if let next, file[next] == UInt8(ascii: ":") { return true }
        start = name.upperBound
    }
    return false
}
