// Names that come with a link are shown, kept and listed. One that holds a piece of a link would put
// a seed on the screen. Bound by FORMAT.md §1.
internal import Keystore
internal import Linux

/// Whether a token may be called so: 1 to 64 bytes that can be shown, and no piece of a link, which
/// may be pasted where the name is asked for.
package func isTokenName(_ name: String) -> Bool {
    isAcceptableText(name, bytes: 1...64) && !holdsLink(name)
}

/// Whether a name holds the beginning of a link or of a seed, percent-encoded too.
func holdsLink(_ name: String) -> Bool {
    var bytes = Array(name.utf8)
    for _ in 0..<4 {
        let shown = withoutGaps(bytes)
        let marks = ["secret=", "otpauth:", "softtoken:"]
        if marks.contains(where: { shown.span.firstRange(of: $0, in: shown.indices) != nil }) {
            return true
        }
        let decoded = percentDecodedOnce(bytes)
        guard decoded.count < bytes.count else { return false }
        bytes = decoded
    }
    // Encoded more often than any program does by mistake.
    return true
}

private func withoutGaps(_ bytes: [UInt8]) -> [UInt8] {
    rewritten(bytes) { position, _ in
        bytes.span.whiteSpaceEnd(at: position) ?? bytes.span.invisibleEnd(at: position)
    }
}

private func percentDecodedOnce(_ bytes: [UInt8]) -> [UInt8] {
    rewritten(bytes) { position, output in
        guard bytes[position] == UInt8(ascii: "%"),
            let byte = bytes.span.hexadecimalByte(at: position + 1)
        else { return nil }
        output.append(byte)
        return position + 3
    }
}

private func rewritten(
    _ bytes: [UInt8], _ replace: (Int, inout OutputSpan<UInt8>) -> Int?
) -> [UInt8] {
    [UInt8](capacity: bytes.count) { $0.put(bytes.span, bytes.indices, replacing: replace) }
}
