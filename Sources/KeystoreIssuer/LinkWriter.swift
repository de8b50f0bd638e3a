// Making signed links. What is made here is read again by Activation's reader before it is given
// out, so that no link is made that a device would reject.
// Bound by CONTRACT §4 and FORMAT.md.
package import Activation
package import Keystore
internal import Linux
package import OTP

/// What a link says, without its seed.
package struct SignedLinkContent: Equatable, Sendable {
    package var issuer: String
    package var account: String
    package var serial: String
    package var parameters: TokenParameters
    package var issuedAtUnixSeconds: Int64
    package var expiresUnixSeconds: Int64
    package var terms: LinkTerms
    /// This link, 16 bytes.
    package var jti: [UInt8]

    package init(
        issuer: String, account: String, serial: String, parameters: TokenParameters,
        issuedAtUnixSeconds: Int64, expiresUnixSeconds: Int64, terms: LinkTerms = LinkTerms(),
        jti: [UInt8] = randomBytes(count: 16)
    ) {
        self.issuer = issuer
        self.account = account
        self.serial = serial
        self.parameters = parameters
        self.issuedAtUnixSeconds = issuedAtUnixSeconds
        self.expiresUnixSeconds = expiresUnixSeconds
        self.terms = terms
        self.jti = jti
    }
}

/// How a link travels.
package enum LinkCarrier: Equatable, Sendable {
    /// `softtoken:activate#…`
    case activate
    /// `https://ANY/PATH#softtoken=…`: the address without its fragment.
    case web(address: String)
}

extension SignedLinkContent {
    /// Makes a link that an activation code opens.
    ///
    /// - Throws: `ActivationError`: the content can't be a link's, by the reader's own rules.
    package func link(
        _ seed: borrowing Seed, code: borrowing ActivationCode,
        signedBy key: borrowing SigningKey, carrier: LinkCarrier = .activate,
        salt: [UInt8] = randomBytes(count: 16), nonce: [UInt8] = randomBytes(count: 24)
    ) throws(ActivationError) -> String {
        let box = try sealing(
            try CodeBox.encrypt(
                seed, code: code, binding: binding(key), salt: salt, nonce: nonce))
        return try link(.code(box), signedBy: key, carrier: carrier)
    }

    /// Makes a link that only the requesting device opens.
    ///
    /// - Throws: `ActivationError.malformedRequest` for a key that nothing can be sealed to, or as
    ///   above.
    package func link(
        _ seed: borrowing Seed, request: EnrolmentRequest, signedBy key: borrowing SigningKey,
        carrier: LinkCarrier = .activate
    ) throws(ActivationError) -> String {
        let box = try sealing(
            try RequestKey.seal(seed, to: request.publicKey, binding: binding(key)))
        guard let box else { throw .malformedRequest }
        return try link(.device(box), signedBy: key, carrier: carrier)
    }

    private func binding(_ key: borrowing SigningKey) -> LinkBinding {
        LinkBinding(x: key.verifyingKey.bytes, jti: jti)
    }

    private func link(
        _ box: SeedBox, signedBy key: borrowing SigningKey, carrier: LinkCarrier
    ) throws(ActivationError) -> String {
        let header: JSONValue = [
            "alg": "EdDSA", "typ": .string(jwsMediaType), "jwk": jwk(key.verifyingKey),
        ]
        let content =
            TextAlphabet.base64URL.text(header.bytes) + "."
            + TextAlphabet.base64URL.text(json(box).bytes)
        let jws = content + "." + TextAlphabet.base64URL.text(key.sign(Array(content.utf8)))
        let made = try VerifiedLink(verifying: Array(jws.utf8).span)
        precondition(made.jti == jti && made.box == box, "a link says what it was made from")
        return try carrier.prefix + jws
    }

    private func json(_ box: SeedBox) -> JSONValue {
        let start: [JSONMember] = [
            JSONMember("v", 1), JSONMember("kind", "soft"),
            JSONMember("serial", .string(serial)),
        ]
        let token = start + parameters.json + [JSONMember("seed", box.json)] + terms.json
        return [
            "iss": .string(issuer), "sub": .string(account),
            "jti": .string(TextAlphabet.base64URL.text(jti)), "iat": .integer(issuedAtUnixSeconds),
            "exp": .integer(expiresUnixSeconds), "st": .object(token),
        ]
    }
}

/// Works in guarded memory, in the link's error.
func sealing<R: ~Copyable>(
    _ step: @autoclosure () throws(KeystoreError) -> R
) throws(ActivationError) -> R {
    do throws(KeystoreError) { return try step() } catch {
        throw error == .malformedBox ? .rejectedMember(.box) : .outOfMemory
    }
}

extension LinkCarrier {
    /// What stands before the JWS.
    fileprivate var prefix: String {
        get throws(ActivationError) {
            switch self {
            case .activate: return activateCarrier
            case .web(let address):
                let bytes = Array(address.utf8)
                guard address.hasPrefix("https://"),
                    (9...maximumAddressByteCount).contains(bytes.count),
                    bytes.allSatisfy({ (0x21...0x7E).contains($0) && !notInAddress.contains($0) })
                else { throw .rejectedCarrier }
                return address + webCarrierMark
            }
        }
    }
}

/// What ends an address, or ends a link in a mail.
private let notInAddress = Array("#<>\"'\\".utf8)
