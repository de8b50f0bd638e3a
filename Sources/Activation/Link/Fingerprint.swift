// What two people compare on another way than the mail: the fingerprint of an issuer's signing key,
// and the verification of an enrolment request. Bound by CONTRACT §4.
package import Keystore
internal import Linux

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
        let letters = typed.uppercased().filter { $0 != "-" && $0 != " " }
        guard letters.utf8.count == 16, letters.utf8.allSatisfy(TextAlphabet.base32.holds) else {
            return nil
        }
        return grouped(letters, by: "-")
    }
}

/// The first 10 bytes of a digest in base32, as `XXXX-XXXX-XXXX-XXXX`.
func fingerprint(ofDigest digest: [UInt8]) -> String {
    grouped(TextAlphabet.base32.text(Array(digest[0..<10])), by: "-")
}

func grouped(_ letters: String, by mark: String) -> String {
    let letters = Array(letters)
    return stride(from: 0, to: letters.count, by: 4).map { start in
        String(letters[start..<min(start + 4, letters.count)])
    }.joined(separator: mark)
}
