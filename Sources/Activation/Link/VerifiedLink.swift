// A signed link whose signature is right, before its box is opened: what `activate` decides on.
// Whether its issuer is trusted, whether it is expired or used, is policy and is not judged here.
// Bound by CONTRACT §4 and FORMAT.md.
package import Keystore
package import OTP

/// The content of a signed link; the seed is still in its box.
package struct VerifiedLink: Equatable, Sendable {
    package let key: VerifyingKey
    /// `XXXX-XXXX-XXXX-XXXX` of `key`.
    package let fingerprint: String
    package let issuer: String
    package let account: String
    package let serial: String
    /// This link, 16 bytes.
    package let jti: [UInt8]
    package let issuedAtUnixSeconds: Int64
    /// The link itself ends then.
    package let expiresUnixSeconds: Int64
    package let parameters: TokenParameters
    package let terms: LinkTerms
    package let box: SeedBox

    /// Verifies a JWS and reads its payload.
    ///
    /// - Parameter jws: without its carrier.
    /// - Throws: `ActivationError`, whose case names what is wrong.
    package init(verifying jws: Span<UInt8>) throws(ActivationError) {
        let verified = try VerifiedJWS(jws)
        key = verified.key
        fingerprint = verified.key.fingerprint()
        let payload = try JSONObject(verified.payload, as: .payload)
        issuer = try payload.text(.issuer, bytes: 1...64)
        account = try payload.text(.account, bytes: 1...128)
        jti = try payload.bytes(.identifier, count: 16...16)
        issuedAtUnixSeconds = try payload.integer(.issuedAt)
        expiresUnixSeconds = try payload.integer(.expiration)
        let token = try payload.object(.token)
        guard try token.integer(.version) == 1 else { throw .unknownVersion }
        guard try token.choice(.kind, [("soft", true), ("hard", false)]) else { throw .hardToken }
        serial = try token.text(.serial, bytes: 1...32)
        parameters = try TokenParameters(token)
        box = try SeedBox(try token.object(.seed))
        terms = try LinkTerms(token)
    }

    /// Opens the box with the activation code.
    ///
    /// - Throws: `ActivationError.wrongCode`, with which nothing is used up; `.outOfMemory`.
    package func open(code: borrowing ActivationCode) throws(ActivationError) -> Enrolment {
        guard case .code(let box) = box else { preconditionFailure("this link needs no code") }
        do throws(KeystoreError) {
            return enrolment(try box.decrypt(code: code.characters, binding: binding))
        } catch { throw ActivationError(error, unopened: .wrongCode) }
    }

    /// Opens the box with this device's own key.
    ///
    /// - Throws: `ActivationError.sealedToAnotherDevice`.
    package func open(requestKey: borrowing RequestKey) throws(ActivationError) -> Enrolment {
        guard case .device(let box) = box else { preconditionFailure("this link needs a code") }
        do throws(KeystoreError) {
            return enrolment(try requestKey.unseal(box, binding: binding))
        } catch { throw ActivationError(error, unopened: .sealedToAnotherDevice) }
    }

    package var identity: LinkIdentity {
        LinkIdentity(issuer: issuer, account: account, serial: serial)
    }

    private var binding: LinkBinding { LinkBinding(x: key.bytes, jti: jti) }

    private func enrolment(_ seed: consuming Seed) -> Enrolment {
        Enrolment(
            origin: .signed, identity: identity, parameters: parameters, warnings: [], seed: seed,
            terms: terms, jti: jti)
    }
}

extension ActivationError {
    fileprivate init(_ error: KeystoreError, unopened: ActivationError) {
        self =
            switch error {
            case .boxNotOpened: unopened
            case .malformedBox: .rejectedMember(.box)
            default: .outOfMemory
            }
    }
}
