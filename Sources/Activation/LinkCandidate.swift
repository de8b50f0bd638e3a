// Where a link begins and ends in a text that is more than a link, and the link without its line
// breaks. RFC 3986, appendix C, and what mail programs do. Bound by DESIGN §7.
import Keystore

/// Takes the link that begins at `start` out of a text.
///
/// - Parameters:
///   - end: where it ended in the text.
/// - Returns: the link in one piece.
func takeLink(
    _ text: Span<UInt8>, at start: Int, end: inout Int
) throws(ActivationError) -> LinkText? {
    var reader = LinkReader(text, at: start)
    let link = try LinkText.decoded(capacity: min(text.count - start, LinkReader.maximum)) {
        (target: inout MutableSpan<UInt8>) in reader.read(text, into: &target)
    }
    end = max(reader.position, start + 1)
    return link
}

private struct LinkReader {
    /// The address, the JWS and a gateway's wrapping.
    static let maximum = 4 * maximumLinkByteCount
    private(set) var position: Int
    /// The bracket or quotation mark that ends the link.
    private let closing: UInt8?
    private var lineStart: Int

    init(_ text: Span<UInt8>, at start: Int) {
        position = start
        lineStart = start
        closing = LinkReader.closing(text, before: start)
    }

    private static func closing(_ text: Span<UInt8>, before start: Int) -> UInt8? {
        guard start > 0 else { return nil }
        let mark: Unicode.Scalar
        switch text[start - 1] {
        case UInt8(ascii: "<"): mark = ">"
        case UInt8(ascii: "\""): mark = "\""
        default: return nil
        }
        let reach = start..<min(start + maximum, text.count)
        return text.firstIndex(of: mark, in: reach).map { text[$0] }
    }

    mutating func read(_ text: Span<UInt8>, into target: inout MutableSpan<UInt8>) -> Int {
        var count = 0
        while position < text.count, count < target.count {
            if isJWS(target, count) {
                readJWS(text, into: &target, &count)
                break
            }
            let byte = text[position]
            if byte == closing { break }
            if byte == 0x0A || byte == 0x0D {
                guard let next = continuation(text, target, count) else { break }
                position = next
                lineStart = next
            } else if closing == nil && ends(text, position) {
                break
            } else {
                target.append(byte, to: &count)
                position += 1
            }
        }
        return closing == nil ? withoutPunctuation(target, count) : count
    }

    /// A JWS ends by itself: its signature has 86 letters.
    private mutating func readJWS(
        _ text: Span<UInt8>, into target: inout MutableSpan<UInt8>, _ count: inout Int
    ) {
        var dots = 0
        var letters = 0
        while position < text.count, count < target.count, !(dots == 2 && letters == 86) {
            let byte = text[position]
            if isBase64URL(byte) {
                letters += 1
            } else if byte == UInt8(ascii: "."), dots < 2 {
                dots += 1
                letters = 0
            } else {
                guard let next = softLineBreakEnd(text, position) ?? lineBreakEnd(text, position)
                else { return }
                position = next
                continue
            }
            target.append(byte, to: &count)
            position += 1
        }
    }

    private func isJWS(_ target: borrowing MutableSpan<UInt8>, _ count: Int) -> Bool {
        [activateCarrier, webCarrierMark].contains { mark in
            let start = count - mark.utf8.count
            guard start >= 0 else { return false }
            return zip(mark.utf8, start..<count).allSatisfy { target[$1].lowercased == $0 }
        }
    }

    /// Where the link goes on behind a line break; nil where it has ended.
    private func continuation(
        _ text: Span<UInt8>, _ target: borrowing MutableSpan<UInt8>, _ count: Int
    ) -> Int? {
        guard let next = lineBreakEnd(text, position), next < text.count, count > 0 else {
            return nil
        }
        guard closing == nil else { return next }
        let wordEnd = (next..<text.count).first { text[$0].isWhiteSpace } ?? text.count
        let lineEnd = (next..<text.count).first { [0x0A, 0x0D].contains(text[$0]) } ?? text.count
        guard wordEnd == text.trimmed(next..<lineEnd).upperBound, next < wordEnd else { return nil }
        let word = next..<wordEnd
        let isOpen = Array("&?=%/:".utf8).contains(target[count - 1])
        let isWrapped = position - lineStart >= 60
        let isPair = word.contains {
            text[$0] == UInt8(ascii: "=") || text[$0] == UInt8(ascii: "&")
        }
        let isValue = word.allSatisfy { text[$0].isDigit || isCapital(text[$0]) }
        return isOpen || isPair || isWrapped && isValue ? next : nil
    }

    /// What stands behind one line break and the marks of a reply; nil where there is none, or a
    /// blank line follows it.
    private func lineBreakEnd(_ text: Span<UInt8>, _ start: Int) -> Int? {
        var position = start
        var lineBreaks = 0
        while position < text.count,
            text[position].isWhiteSpace || lineBreaks > 0 && text[position] == UInt8(ascii: ">")
        {
            if text[position] == 0x0A { lineBreaks += 1 }
            position += 1
        }
        return lineBreaks == 1 || closing != nil && lineBreaks > 0 ? position : nil
    }

    private func ends(_ text: Span<UInt8>, _ position: Int) -> Bool {
        let byte = text[position]
        if byte == UInt8(ascii: " ") { return !isInsideLink(text, position) }
        return byte.isControl || Array("<>\"`|".utf8).contains(byte)
            || text.starts(with: [0xE2, 0x80], at: position)
            || text.starts(with: [0xC2, 0xBB], at: position)
            || text.starts(with: [0xC2, 0xA0], at: position)
    }

    /// A raw space in a label or a seed: another parameter follows in the next word.
    private func isInsideLink(_ text: Span<UInt8>, _ position: Int) -> Bool {
        let end = (position + 1..<text.count).first { text[$0].isWhiteSpace } ?? text.count
        let word = position + 1..<end
        return text.firstIndex(of: "=", in: word) != nil
            && (text.firstIndex(of: "&", in: word) != nil
                || text.firstIndex(of: "?", in: word) != nil)
            && text.firstRange(of: "://", in: word) == nil
    }

    private func withoutPunctuation(_ target: borrowing MutableSpan<UInt8>, _ count: Int) -> Int {
        guard !isWhole(target, count) else { return count }
        let marks = Array(".,;:!?)]}'*".utf8)
        // Looked for once: a mail of closing brackets would be read anew for each of them.
        let opening = (0..<count).first { target[$0] == UInt8(ascii: "(") } ?? count
        var count = count
        while count > 0, marks.contains(target[count - 1]) {
            if target[count - 1] == UInt8(ascii: ")"), opening < count { break }
            count -= 1
        }
        return count
    }

    /// URL Defense v3 ends with marks of its own.
    private func isWhole(_ target: borrowing MutableSpan<UInt8>, _ count: Int) -> Bool {
        count > 0 && target[count - 1] == UInt8(ascii: "$")
    }
}

private func isCapital(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
}
