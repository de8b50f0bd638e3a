// Names that come with a link are shown, kept and listed. One that holds a piece of a link would put
// a seed on the screen. Bound by FORMAT.md §1.

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
    var shown: [UInt8] = []
    var position = 0
    while position < bytes.count {
        let gap = bytes.span.whiteSpaceEnd(at: position) ?? bytes.span.invisibleEnd(at: position)
        if let gap {
            position = gap
        } else {
            shown.append(bytes[position])
            position += 1
        }
    }
    return shown
}

private func percentDecodedOnce(_ bytes: [UInt8]) -> [UInt8] {
    var decoded: [UInt8] = []
    var position = 0
    while position < bytes.count {
        if bytes[position] == UInt8(ascii: "%"), position + 2 < bytes.count,
            let high = bytes[position + 1].hexadecimalValue,
            let low = bytes[position + 2].hexadecimalValue
        {
            decoded.append(high << 4 | low)
            position += 3
        } else {
            decoded.append(bytes[position])
            position += 1
        }
    }
    return decoded
}
