// RFC 4226 §5.3, steps 2 and 3: the public half of HOTP. Step 1, the MAC, is secret and lives in
// Keystore.

/// The dynamic truncation of a MAC: 31 bits.
///
/// - Parameter mac: 20, 32 or 64 bytes.
/// - Returns: RFC 4226 §5.3's `Snum`, before the reduction to digits.
package func truncate(_ mac: Span<UInt8>) -> UInt32 {
    precondition(mac.count >= 20, "a MAC has at least 20 bytes")
    let offset = Int(mac[mac.count - 1] & 0x0f)
    return UInt32(mac[offset] & 0x7f) << 24 | UInt32(mac[offset + 1]) << 16
        | UInt32(mac[offset + 2]) << 8 | UInt32(mac[offset + 3])
}

/// How many digits an OTP has: 6, 7 or 8 (RFC 4226 §5.3: at least 6).
package struct DigitCount: Equatable, Sendable {
    package let value: Int

    /// - Returns: nil outside 6...8.
    package init?(_ value: Int) {
        guard (6...8).contains(value) else { return nil }
        self.value = value
    }

    /// The digits of a truncated MAC, with leading zeros. RFC 4226 §5.3, step 3.
    package func digits(of truncated: UInt32) -> [UInt8] {
        var digits = [UInt8](repeating: 0, count: value)
        var span = digits.mutableSpan
        write(truncated, into: &span, at: 0)
        return digits
    }

    /// Writes the digits of a truncated MAC, with leading zeros, from `start` on.
    package func write(_ truncated: UInt32, into bytes: inout MutableSpan<UInt8>, at start: Int) {
        var rest = truncated
        for index in (start..<start + value).reversed() {
            bytes[index] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
    }
}
