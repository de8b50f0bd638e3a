// The fingerprint of an issuer's signing key, which a prescriber compares with what the issuer
// says. Bound by CONTRACT §4.
package import Keystore

extension VerifyingKey {
    /// The first 10 bytes of BLAKE2b-256 over x, in base32, as `XXXX-XXXX-XXXX-XXXX`.
    ///
    /// - Throws: `SecureMemoryError`, where hashing finds no memory.
    package func fingerprint() throws(SecureMemoryError) -> String {
        let hash = try blake2b(bytes, byteCount: 32)
        // 5 bytes spell 8 letters, so that groups of four need no bits of their neighbours but one.
        let letters = [hash[0..<5], hash[5..<10]].flatMap { half in
            let number = half.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            return (0..<8).map { base32Letters[Int(number >> UInt64(35 - 5 * $0) & 31)] }
        }
        let groups = stride(from: 0, to: 16, by: 4).map { start in
            String(String.UnicodeScalarView(letters[start..<(start + 4)]))
        }
        return groups.joined(separator: "-")
    }

    /// The fingerprint that was typed, in the one spelling that is compared.
    ///
    /// - Returns: nil where it isn't 16 letters of base32, in either case, with dashes and spaces.
    package static func normalizedFingerprint(_ typed: String) -> String? {
        let letters = typed.uppercased().unicodeScalars.filter { $0 != "-" && $0 != " " }
        guard letters.count == 16, letters.allSatisfy(base32Letters.contains) else { return nil }
        let all = Array(letters)
        return stride(from: 0, to: 16, by: 4).map { start in
            String(String.UnicodeScalarView(all[start..<(start + 4)]))
        }.joined(separator: "-")
    }
}

/// RFC 4648 §6.
private let base32Letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".unicodeScalars)
