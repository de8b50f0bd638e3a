// A signed link's JWS: compact serialization (RFC 7515 §7.1) with Ed25519 (RFC 8037), the header
// exactly as CONTRACT §4 has it. Nothing of the payload is read before the signature is right.
package import Keystore
internal import Linux

/// A JWS whose signature is right.
struct VerifiedJWS {
    let key: VerifyingKey
    /// The payload's bytes, not yet read.
    let payload: [UInt8]

    /// Takes a JWS apart and verifies it, in the order of FORMAT.md §3.
    ///
    /// - Throws: `ActivationError.tooLong`, `.malformedJWS`, `.rejectedHeader…`,
    ///   `.signatureInvalid`.
    init(_ text: Span<UInt8>) throws(ActivationError) {
        guard text.count <= maximumLinkByteCount else { throw .tooLong }
        guard let first = text.firstIndex(of: ".", in: text.indices),
            let second = text.firstIndex(of: ".", in: (first + 1)..<text.count),
            let header = TextAlphabet.base64URL.bytes(text.extracting(0..<first)),
            let payload = TextAlphabet.base64URL.bytes(text.extracting((first + 1)..<second)),
            let signature = TextAlphabet.base64URL.bytes(
                text.extracting((second + 1)..<text.count)),
            signature.count == 64
        else { throw .malformedJWS }
        key = try VerifiedJWS.key(header: header)
        self.payload = payload
        guard key.isValid(signature, of: text.extracting(0..<second)) else {
            throw .signatureInvalid
        }
    }

    private static func key(header: [UInt8]) throws(ActivationError) -> VerifyingKey {
        let header = try JSONObject(header, as: .header)
        try header.requireOnly([.algorithmName, .mediaType, .key], in: .header)
        try header.require("EdDSA", .algorithmName)
        try header.require(jwsMediaType, .mediaType)
        return try signingKey(try header.object(.key))
    }
}

/// The header's `typ`.
package let jwsMediaType = "softtoken+jwt"

/// The Ed25519 key of a JWK (RFC 8037 §2) that has exactly kty, crv and x.
func signingKey(_ jwk: JSONObject) throws(ActivationError) -> VerifyingKey {
    try jwk.requireOnly([.keyType, .curve, .x], in: .key)
    try jwk.require("OKP", .keyType)
    try jwk.require("Ed25519", .curve)
    guard let key = VerifyingKey(try jwk.bytes(.x, count: 32...32)) else {
        throw .rejectedMember(.x)
    }
    return key
}

/// The JWK of a key, as it stands in headers and in issuer files.
package func jwk(_ key: VerifyingKey) -> JSONValue {
    ["kty": "OKP", "crv": "Ed25519", "x": .string(TextAlphabet.base64URL.text(key.bytes))]
}
