// privacyIDEA's two-step enrolment: how an otpauth link asks for it, and how this device's part is
// shown. Bound by CONTRACT §5.
import Keystore
internal import Linux

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
    grouped(TextAlphabet.base32.text(sha1(clientPart)[0..<4] + clientPart), by: " ")
}
