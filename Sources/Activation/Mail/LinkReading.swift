// Where a link ends in a text that is more than a link, and the link in one piece. Nothing is
// guessed: FORMAT.md §2 has the rule. Bound by DESIGN §7.
import Keystore

/// The address, the JWS and a gateway's wrapping.
private let maximumReach = 4 * maximumLinkByteCount

/// A link that was taken out of a text.
struct TakenLink: ~Copyable {
    let text: LinkText
    /// Where it ended there.
    let end: Int
    /// Brackets, quotation marks or what stands behind it prove that it is whole.
    let isWhole: Bool

    consuming func takeText() -> LinkText { text }
}

/// Takes out the otpauth link that begins at `start`.
///
/// - Returns: nil where only the scheme is spoken of.
func takeOTPAuthLink(
    _ text: Span<UInt8>, at start: Int
) throws(ActivationError) -> TakenLink? {
    if let closing = closingMark(text, before: start) {
        return try takeDelimitedLink(text, start..<closing)
    }
    let end = wordEnd(text, from: start)
    let word = try LinkText.decoded(capacity: end - start) {
        (target: inout MutableSpan<UInt8>) in
        let count = copyVisible(text, start..<end, into: &target)
        return withoutPunctuation(target.span.extracting(0..<count))
    }
    guard let word else { return nil }
    let link = try unwrappedWholly(word)
    let isWhole: Bool? = link.read { (link) -> Bool? in
        let isOpen = isLeftOpen(link, text, behind: end)
        // "A link begins with otpauth://": nothing of a token is in it.
        if isSchemeAlone(link), !isOpen { return nil }
        let isInside = start >= 2 && text.hasPrefix("__", at: start - 2)
        return !isOpen && !isInside
    }
    guard let isWhole else { return nil }
    return TakenLink(text: link, end: end, isWhole: isWhole)
}

/// RFC 3986, appendix C: what stands in brackets is one link, line breaks in it are none of its own.
private func takeDelimitedLink(
    _ text: Span<UInt8>, _ range: Range<Int>
) throws(ActivationError) -> TakenLink? {
    var hasSpaces = false
    var hasLineBreaks = false
    let joined = try LinkText.decoded(capacity: range.count) {
        (target: inout MutableSpan<UInt8>) in
        var count = 0
        var position = range.lowerBound
        while position < range.upperBound {
            if let gap = Gap(text, at: position) {
                position = min(gap.end, range.upperBound)
                guard position < range.upperBound else { break }
                hasLineBreaks = hasLineBreaks || gap.lineBreaks > 0
                hasSpaces = hasSpaces || gap.lineBreaks == 0 || gap.beginsWithSpace
                if gap.lineBreaks == 0 { target.append(UInt8(ascii: " "), to: &count) }
            } else if let end = text.invisibleEnd(at: position) {
                position = end
            } else {
                target.append(text[position], to: &count)
                position += 1
            }
        }
        return count
    }
    guard let joined else { return nil }
    // Where both stand in it, nobody knows whether a line break stands for a space.
    let isWhole = !(hasSpaces && hasLineBreaks)
    return TakenLink(text: try unwrappedWholly(joined), end: range.upperBound, isWhole: isWhole)
}

/// Takes out the web address that begins at `start`; it is whole where brackets say so.
func takeWebAddress(_ text: Span<UInt8>, at start: Int) throws(ActivationError) -> TakenLink {
    let end = addressEnd(text, from: start)
    if let closing = closingMark(text, before: start), closing > end,
        let joined = try joinedAddress(text, start..<closing)
    {
        return TakenLink(text: joined, end: closing, isWhole: true)
    }
    let word = text.extracting(start..<end)
    let length = max(1, withoutPunctuation(word))
    return TakenLink(
        text: try LinkText(copying: word.extracting(0..<length)), end: end, isWhole: false)
}

private func joinedAddress(
    _ text: Span<UInt8>, _ range: Range<Int>
) throws(ActivationError) -> LinkText? {
    try LinkText.decoded(capacity: range.count) { (target: inout MutableSpan<UInt8>) in
        var count = 0
        copyJoined(text, range, into: &target, &count)
        return count
    }
}

/// Where the bracket or quotation mark that was opened right before a link closes it; nil where none
/// was, or where another link begins first.
private func closingMark(_ text: Span<UInt8>, before start: Int) -> Int? {
    guard start > 0 else { return nil }
    let mark: UInt8
    switch text[start - 1] {
    case UInt8(ascii: "<"): mark = UInt8(ascii: ">")
    case UInt8(ascii: "\""): mark = UInt8(ascii: "\"")
    default: return nil
    }
    for position in (start + 1)..<max(start + 1, min(start + maximumReach, text.count)) {
        // A reply's mark at the beginning of a line closes nothing.
        if text[position] == mark, !(mark == UInt8(ascii: ">") && isReplyMark(text, position)) {
            return position
        }
        if endsBefore(text, position) { return nil }
    }
    return nil
}

private func isReplyMark(_ text: Span<UInt8>, _ position: Int) -> Bool {
    var before = position
    while before > 0, [0x20, UInt8(ascii: ">")].contains(text[before - 1]) { before -= 1 }
    return before == 0 || text[before - 1] == 0x0A || text[before - 1] == 0x0D
}

/// Where a word that may be a link ends: before white space, a mark that no link holds, or the
/// beginning of another link.
func wordEnd(_ text: Span<UInt8>, from start: Int) -> Int {
    let reach = (start + 1)..<max(start + 1, min(start + maximumReach, text.count))
    return reach.first { ends(text, $0) || endsBefore(text, $0) } ?? reach.upperBound
}

/// Where a web address ends, which may hold another one.
func addressEnd(_ text: Span<UInt8>, from start: Int) -> Int {
    let reach = (start + 1)..<max(start + 1, min(start + maximumReach, text.count))
    return reach.first { position in
        if ends(text, position) { return true }
        switch LinkStart(text, at: position) {
        // A gateway encodes what it wraps; only URL Defense v3 puts marks around it.
        case .otpauth, .web: return text[position - 1] != UInt8(ascii: "_")
        case .signed, .damaged, nil: return false
        }
    } ?? reach.upperBound
}

private func ends(_ text: Span<UInt8>, _ position: Int) -> Bool {
    let byte = text[position]
    guard text.whiteSpaceEnd(at: position) == nil else { return true }
    return byte.isControl || Array("<>\"`|".utf8).contains(byte)
        // Typographic quotation marks and dashes.
        || text.starts(with: [0xE2, 0x80], at: position) && text.invisibleEnd(at: position) == nil
        || text.starts(with: [0xC2, 0xBB], at: position)
}

/// Copies text without white space and what shows nothing.
func copyJoined(
    _ text: Span<UInt8>, _ range: Range<Int>, into target: inout MutableSpan<UInt8>,
    _ count: inout Int
) {
    var position = range.lowerBound
    while position < range.upperBound {
        if let end = Gap(text, at: position)?.end ?? text.invisibleEnd(at: position) {
            position = end
        } else {
            target.append(text[position], to: &count)
            position += 1
        }
    }
}

private func copyVisible(
    _ text: Span<UInt8>, _ range: Range<Int>, into target: inout MutableSpan<UInt8>
) -> Int {
    var count = 0
    var position = range.lowerBound
    while position < range.upperBound {
        if let end = text.invisibleEnd(at: position) {
            position = end
        } else {
            target.append(text[position], to: &count)
            position += 1
        }
    }
    return count
}

/// Takes out a signed link, whose JWS begins at `start`, joined across line breaks: what is joined
/// wrongly has a wrong signature.
func takeSignedLink(
    _ text: Span<UInt8>, jws start: Int
) throws(ActivationError) -> TakenLink? {
    var end = start
    let carrier = Array(activateCarrier.utf8)
    let capacity = min(text.count - start, maximumLinkByteCount + 1) + carrier.count
    let link = try LinkText.decoded(capacity: capacity) {
        (target: inout MutableSpan<UInt8>) in
        var count = 0
        for byte in carrier { target.append(byte, to: &count) }
        end = readJWS(text, from: start, into: &target, &count)
        return withoutPunctuation(target.span.extracting(0..<count))
    }
    guard let link else { return nil }
    return TakenLink(text: link, end: max(end, start + 1), isWhole: true)
}

/// A JWS ends by itself: its signature has 86 letters.
private func readJWS(
    _ text: Span<UInt8>, from start: Int, into target: inout MutableSpan<UInt8>,
    _ count: inout Int
) -> Int {
    var position = start
    var dots = 0
    var letters = 0
    while position < text.count, count < target.count, !(dots == 2 && letters == 86) {
        let byte = text[position]
        if position > start, LinkStart(text, at: position) != nil { break }
        if isBase64URL(byte) {
            letters += 1
        } else if byte == UInt8(ascii: "."), dots < 2 {
            dots += 1
            letters = 0
        } else {
            guard let next = jointEnd(text, position) else { break }
            position = next
            continue
        }
        target.append(byte, to: &count)
        position += 1
    }
    return position
}

/// Where a JWS may go on that is interrupted here.
private func jointEnd(_ text: Span<UInt8>, _ position: Int) -> Int? {
    if let end = softLineBreakEnd(text, position) ?? text.invisibleEnd(at: position) { return end }
    return Gap(text, at: position).flatMap { $0.lineBreaks > 0 ? $0.end : nil }
}
