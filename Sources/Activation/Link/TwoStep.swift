// privacyIDEA's two-step enrolment: how an otpauth link asks for it, and how this device's part is
// shown. Bound by CONTRACT §5.
import Keystore

/// What a link asks for when its seed has two parts.
struct TwoStep: Equatable {
    static let saltByteCounts = 8...64
    static let difficulties = 1000...1_000_000

    /// This device's part, in bytes.
    let saltByteCount: Int
    let outputByteCount: Int
    let difficulty: Int

    /// The seed, and this device's part of it.
    func complete(
        _ serverPart: consuming Seed, clientPart: [UInt8]
    ) throws(ActivationError) -> Seed {
        do throws(KeystoreError) {
            return try Seed(
                serverPart: serverPart, clientPart: clientPart, iterations: difficulty,
                byteCount: outputByteCount)
        } catch { throw .outOfMemory }
    }
}

/// This device's part as it is shown: base32check in groups of four. Its first four bytes are those
/// of the SHA-1 of the rest, so that a slip in typing is noticed.
func base32Check(_ clientPart: [UInt8]) -> String {
    let letters = base32(sha1(clientPart)[0..<4] + clientPart)
    return stride(from: 0, to: letters.count, by: 4).map { start in
        String(String.UnicodeScalarView(letters[start..<min(start + 4, letters.count)]))
    }.joined(separator: " ")
}

/// RFC 4648 §6 of what is public, without padding.
func base32(_ bytes: [UInt8]) -> [Unicode.Scalar] {
    var letters: [Unicode.Scalar] = []
    var pending: UInt32 = 0
    var pendingBits = 0
    for byte in bytes {
        pending = pending << 8 | UInt32(byte)
        pendingBits += 8
        while pendingBits >= 5 {
            pendingBits -= 5
            letters.append(base32Letters[Int(pending >> UInt32(pendingBits) & 31)])
        }
        pending &= 1 << UInt32(pendingBits) - 1
    }
    if pendingBits > 0 {
        letters.append(base32Letters[Int(pending << UInt32(5 - pendingBits) & 31)])
    }
    return letters
}

/// RFC 4648 §6.
let base32Letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".unicodeScalars)
