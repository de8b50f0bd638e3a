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
        guard isAcceptableText(name, bytes: 1...64), !holdsLink(name) else { return nil }
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
        guard !hasSmallOrder(key) else { throw .rejectedKey }
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

/// Whether anything verifies under a key: the points of order 1, 2, 4 and 8, in every spelling of
/// theirs. Links of such a key are rejected by libsodium; a file that holds one is a mistake or worse.
private func hasSmallOrder(_ key: VerifyingKey) -> Bool {
    var bytes = key.bytes
    // The sign of x.
    bytes[31] &= 0x7F
    return smallOrders.contains(bytes)
}

/// y of the points, little-endian: 0, 1, p − 1, p, p + 1 and the two of order 8.
private let smallOrders: [[UInt8]] = {
    let zeros = [UInt8](repeating: 0, count: 31)
    let ones = [UInt8](repeating: 0xFF, count: 30) + [0x7F]
    let eighths: [[UInt8]] = [
        [
            0x26, 0xE8, 0x95, 0x8F, 0xC2, 0xB2, 0x27, 0xB0, 0x45, 0xC3, 0xF4, 0x89, 0xF2, 0xEF,
            0x98, 0xF0, 0xD5, 0xDF, 0xAC, 0x05, 0xD3, 0xC6, 0x33, 0x39, 0xB1, 0x38, 0x02, 0x88,
            0x6D, 0x53, 0xFC, 0x05,
        ],
        [
            0xC7, 0x17, 0x6A, 0x70, 0x3D, 0x4D, 0xD8, 0x4F, 0xBA, 0x3C, 0x0B, 0x76, 0x0D, 0x10,
            0x67, 0x0F, 0x2A, 0x20, 0x53, 0xFA, 0x2C, 0x39, 0xCC, 0xC6, 0x4E, 0xC7, 0xFD, 0x77,
            0x92, 0xAC, 0x03, 0x7A,
        ],
    ]
    return [[0] + zeros, [1] + zeros, [0xEC] + ones, [0xED] + ones, [0xEE] + ones] + eighths
}()
