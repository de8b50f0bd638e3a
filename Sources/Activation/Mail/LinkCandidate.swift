// Where a link begins and ends in a text that is more than a link, and the link without its line
// breaks. RFC 3986, appendix C, and what mail programs do. Whether a link goes on behind white
// space is LinkContinuation.swift's question. Bound by DESIGN §7.
import Keystore

/// Takes the link that begins at `start` out of a text.
///
/// - Parameters:
///   - end: where it ended in the text.
/// - Returns: the link in one piece.
/// - Throws: `ActivationError.brokenLink` where its end can't be told, `.outOfMemory`.
func takeLink(
    _ text: Span<UInt8>, at start: Int, end: inout Int
) throws(ActivationError) -> LinkText? {
    var reader = LinkReader(text, at: start)
    let link = try LinkText.decoded(capacity: min(text.count - start, LinkReader.maximum)) {
        (target: inout MutableSpan<UInt8>) in reader.read(text, into: &target)
    }
    end = max(reader.position, start + 1)
    guard !reader.isUnclear else { throw .brokenLink }
    return link
}

private struct LinkReader {
    /// The address, the JWS and a gateway's wrapping.
    static let maximum = 4 * maximumLinkByteCount
    private(set) var position: Int
    /// The link may be longer than what was read of it.
    private(set) var isUnclear = false
    /// The bracket or quotation mark that ends the link.
    private let closing: UInt8?
    private let isWeb: Bool
    /// Up to here the text is known to be the link's.
    private var certainEnd: Int
    private var joints = TextJoints()

    init(_ text: Span<UInt8>, at start: Int) {
        position = start
        certainEnd = start
        closing = LinkReader.closing(text, before: start)
        isWeb = text.hasPrefix("http", at: start)
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
            if text[position] == closing { break }
            if let gap = Gap(text, at: position) {
                guard goesOn(text, behind: gap, &target, &count) else { break }
            } else if closing == nil && ends(text, position) {
                break
            } else if let end = text.invisibleEnd(at: position) {
                position = end
            } else {
                target.append(text[position], to: &count)
                position += 1
            }
        }
        let link = target.span.extracting(0..<count)
        isUnclear = isUnclear || joints.areUnclear(in: link)
        return closing == nil ? withoutPunctuation(link) : count
    }

    /// Whether the link goes on behind white space; if so, the reader stands there.
    private mutating func goesOn(
        _ text: Span<UInt8>, behind gap: Gap, _ target: inout MutableSpan<UInt8>,
        _ count: inout Int
    ) -> Bool {
        guard gap.end < text.count else { return false }
        if !isWeb, gap.lineBreaks > 0, target[count - 1] == UInt8(ascii: "=") {
            let link = target.span.extracting(0..<count - 1)
            if LinkPlace(link).endsSoftly(link, before: text[gap.end]) { count -= 1 }
        }
        let place = isWeb ? nil : LinkPlace(target.span.extracting(0..<count))
        // What stands in brackets is one link.
        if closing == nil, gap.end > certainEnd {
            switch continuation(text, behind: gap, place, &target, count) {
            case .joined(let end): certainEnd = end
            case .proved(let separator):
                if separator == .space { target.append(UInt8(ascii: " "), to: &count) }
                position = gap.end
                return true
            case .ended: return false
            case .unclear:
                isUnclear = true
                return false
            }
        }
        join(gap, at: place, &target, &count)
        return true
    }

    private func continuation(
        _ text: Span<UInt8>, behind gap: Gap, _ place: LinkPlace?,
        _ target: inout MutableSpan<UInt8>, _ count: Int
    ) -> LinkContinuation {
        guard let place else {
            return addressContinuation(of: &target, count, text, behind: gap)
        }
        let link = target.span.extracting(0..<count)
        return linkContinuation(of: link, at: place, text, behind: gap)
    }

    /// Stands behind the gap; a space that means something in a text is kept.
    private mutating func join(
        _ gap: Gap, at place: LinkPlace?, _ target: inout MutableSpan<UInt8>, _ count: inout Int
    ) {
        position = gap.end
        guard let place, place.isText else { return }
        joints.add(gap)
        if gap.lineBreaks == 0 { target.append(UInt8(ascii: " "), to: &count) }
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
                guard let next = jointEnd(text, dots: dots, letters: letters) else { return }
                position = next
                continue
            }
            target.append(byte, to: &count)
            position += 1
        }
    }

    /// Where a JWS may go on that is interrupted here. Its signature tells whether it does.
    private func jointEnd(_ text: Span<UInt8>, dots: Int, letters: Int) -> Int? {
        if let end = softLineBreakEnd(text, position) ?? text.invisibleEnd(at: position) {
            return end
        }
        guard let gap = Gap(text, at: position), gap.lineBreaks > 0, gap.end < text.count,
            !["http", "softtoken:", "otpauth:"].contains(where: { text.hasPrefix($0, at: gap.end) })
        else { return nil }
        // Behind a blank line the next paragraph's first word would be swallowed, and with it what
        // may be the next link: a line of a JWS is longer than that, or is the signature's end.
        let word = (gap.end..<text.count).prefix(87).prefix {
            isBase64URL(text[$0]) || text[$0] == UInt8(ascii: ".")
        }
        let isEnd = dots == 2 && letters + word.count >= 86
        return gap.lineBreaks == 1 || word.count >= 8 || isEnd ? gap.end : nil
    }

    private func isJWS(_ target: borrowing MutableSpan<UInt8>, _ count: Int) -> Bool {
        [activateCarrier, webCarrierMark].contains { mark in
            let start = count - mark.utf8.count
            guard start >= 0 else { return false }
            return zip(mark.utf8, start..<count).allSatisfy { target[$1].lowercased == $0 }
        }
    }

    private func ends(_ text: Span<UInt8>, _ position: Int) -> Bool {
        let byte = text[position]
        return byte.isControl || Array("<>\"`|".utf8).contains(byte)
            || text.starts(with: [0xE2, 0x80], at: position)
                && text.invisibleEnd(at: position) == nil
            || text.starts(with: [0xC2, 0xBB], at: position)
    }
}

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
private let punctuation = Array(".,;:!?>)]}'*".utf8)

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
        if starts(with: [0xC2, 0xA0], at: position) { return position + 2 }
        guard position + 2 < count else { return nil }
        let isSpace =
            switch (byte, self[position + 1], self[position + 2]) {
            case (0xE2, 0x80, 0x80...0x8A), (0xE2, 0x80, 0xAF), (0xE3, 0x80, 0x80): true
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
