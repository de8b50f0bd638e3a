// The PIN: exactly four ASCII digits (NIST SP 800-63B-4 §3.2.10 calls it an activation secret), in
// guarded memory from the key press on. Bound by DESIGN §4.

/// The four digits that unlock the keystore.
package struct PINDigits: ~Copyable {
    package static let digitCount = 4

    let bytes: SecureBytes

    /// Takes what was typed.
    ///
    /// - Returns: nil, and no attempt is spent, unless it is exactly four ASCII digits.
    package init?(_ typed: Span<UInt8>) throws(KeystoreError) {
        guard typed.count == PINDigits.digitCount else { return nil }
        for index in typed.indices where !isDigit(typed[index]) { return nil }
        bytes = try SecureBytes(copying: typed)
    }

    /// Draws a PIN that is not easy to guess.
    package init(random: ()) throws(KeystoreError) {
        var drawn = try SecureBytes(count: PINDigits.digitCount)
        repeat {
            drawn.write { (digits: inout MutableSpan<UInt8>) in
                for index in digits.indices {
                    digits[index] = UInt8(ascii: "0") + UInt8(randomNumber(below: 10))
                }
            }
        } while drawn.read { PINBlocklist.contains($0) }
        bytes = drawn
    }

    /// Whether it is easy to guess, and so refused at setting.
    package var isEasyToGuess: Bool { bytes.read { PINBlocklist.contains($0) } }

    /// Whether the PIN was typed twice the same.
    package func matches(_ other: borrowing PINDigits) -> Bool { bytes.matches(other.bytes) }

    /// Lends the digits, to show a drawn PIN once.
    package func read<R: ~Copyable, E: Error>(
        _ body: (Span<UInt8>) throws(E) -> R
    ) throws(E) -> R {
        try bytes.read(body)
    }
}

private func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
}
