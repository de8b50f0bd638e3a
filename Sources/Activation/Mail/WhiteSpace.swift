// White space and characters that show nothing, as mails have them around a link and inside it.
internal import Linux

/// White space in a text, with its line breaks and the marks of a reply behind them.
struct Gap {
    /// A longer one ends the link: many links before it would each be read to its end.
    private static let maximumByteCount = 4096
    /// Where it ends.
    let end: Int
    private(set) var lineBreaks = 0
    /// White space stands before the first line break.
    private(set) var beginsWithSpace = false

    /// - Returns: nil where no white space stands.
    init?(_ text: Span<UInt8>, at start: Int) {
        var position = start
        while position < text.count, position - start < Gap.maximumByteCount {
            let byte = text[position]
            if byte == 0x0A || byte == 0x0D && !text.starts(with: [0x0A], at: position + 1) {
                lineBreaks += 1
                position += 1
            } else if let end = text.whiteSpaceEnd(at: position) {
                if lineBreaks == 0, byte != 0x0D { beginsWithSpace = true }
                position = end
            } else if lineBreaks > 0, byte == UInt8(ascii: ">") {
                position += 1
            } else {
                break
            }
        }
        guard position > start else { return nil }
        end = position
    }
}

/// Marks that a sentence puts behind a link.
private let punctuation = Array(".,;:!?>)]}'*([{".utf8)

/// How long a link is without the punctuation of the sentence that it stands in.
func withoutPunctuation(_ link: Span<UInt8>) -> Int {
    // URL Defense v3 ends with marks of its own.
    guard link.count > 0, link[link.count - 1] != UInt8(ascii: "$") else { return link.count }
    // Looked for once: a mail of closing brackets would be read anew for each of them.
    let opening = link.firstIndex(of: "(", in: link.indices) ?? link.count
    var count = link.count
    while count > 0, punctuation.contains(link[count - 1]) {
        if link[count - 1] == UInt8(ascii: ")"), opening < count { break }
        count -= 1
    }
    return count
}

extension Span where Element == UInt8 {
    /// Where one white space ends, a no-break space and its like among them; nil where there is none.
    func whiteSpaceEnd(at position: Int) -> Int? {
        let byte = self[position]
        if byte < 0x80 { return byte.isWhiteSpace ? position + 1 : nil }
        // A no-break space, and the next-line control.
        if starts(with: [0xC2, 0xA0], at: position) || starts(with: [0xC2, 0x85], at: position) {
            return position + 2
        }
        guard position + 2 < count else { return nil }
        let isSpace =
            switch (byte, self[position + 1], self[position + 2]) {
            case (0xE2, 0x80, 0x80...0x8A), (0xE2, 0x80, 0xAF), (0xE3, 0x80, 0x80),
                // Unicode's own line and paragraph separators.
                (0xE2, 0x80, 0xA8...0xA9):
                true
            default: false
            }
        return isSpace ? position + 3 : nil
    }

    /// Where a character ends that shows nothing (soft hyphen, zero-width space and joiners, word
    /// joiner, byte order mark), which no link has; nil where none stands.
    func invisibleEnd(at position: Int) -> Int? {
        guard self[position] >= 0xC2 else { return nil }
        if starts(with: [0xC2, 0xAD], at: position) { return position + 2 }
        let invisible: [[UInt8]] = [
            [0xE2, 0x80, 0x8B], [0xE2, 0x80, 0x8C], [0xE2, 0x80, 0x8D], [0xE2, 0x81, 0xA0],
            [0xEF, 0xBB, 0xBF],
        ]
        return invisible.contains { starts(with: $0, at: position) } ? position + 3 : nil
    }
}
