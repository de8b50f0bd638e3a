// What two people compare on another way than the mail: the fingerprint of an issuer's signing key,
// and the verification of an enrolment request. Bound by CONTRACT §4.
package import Keystore

extension VerifyingKey {
    /// The first 10 bytes of BLAKE2b-256 over x, in base32, as `XXXX-XXXX-XXXX-XXXX`.
    ///
    /// - Throws: `KeystoreError`, where hashing finds no memory.
    package func fingerprint() -> String {
        Activation.fingerprint(ofDigest: blake2b(bytes, byteCount: 32))
    }

    /// The fingerprint that was typed, in the one spelling that is compared.
    ///
    /// - Returns: nil where it isn't 16 letters of base32, in either case, with dashes and spaces.
    package static func normalizedFingerprint(_ typed: String) -> String? {
        let letters = typed.uppercased().unicodeScalars.filter { $0 != "-" && $0 != " " }
        guard letters.count == 16, letters.allSatisfy(base32Letters.contains) else { return nil }
        return grouped(Array(letters))
    }
}

/// The first 10 bytes of a digest in base32, as `XXXX-XXXX-XXXX-XXXX`.
func fingerprint(ofDigest digest: [UInt8]) -> String { grouped(base32(Array(digest[0..<10]))) }

private func grouped(_ letters: [Unicode.Scalar]) -> String {
    stride(from: 0, to: letters.count, by: 4).map { start in
        String(String.UnicodeScalarView(letters[start..<(start + 4)]))
    }.joined(separator: "-")
}
