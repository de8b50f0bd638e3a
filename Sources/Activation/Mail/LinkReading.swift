// Where a link ends in a text that is more than a link, and the link in one piece. Nothing is
// guessed: FORMAT.md §2 has the rule. Bound by DESIGN §7.
import Linux

/// The address, the JWS and a gateway's wrapping.
private let maximumReach = 4 * maximumLinkByteCount

/// Where a link that begins at `start` may go on.
private func reach(_ text: Span<UInt8>, behind start: Int) -> Range<Int> {
    (start + 1)..<min(start + maximumReach, text.count)
}

/// A link that was taken out of a text.
struct TakenLink: ~Copyable {
    let text: LinkText
    /// Where it ended there.
    let end: Int
    /// Brackets, quotation marks or what stands behind it prove that it is whole.
    let isWhole: Bool
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
    let word = try LinkText.written(capacity: end - start) { output in
        output.put(text, start..<end) { position, _ in text.invisibleEnd(at: position) }
        output.dropPunctuation()
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
    let joined = try LinkText.rewritten(text, range) { position, output in
        guard let gap = Gap(text, at: position) else { return text.invisibleEnd(at: position) }
        guard gap.end < range.upperBound else { return range.upperBound }
        hasLineBreaks = hasLineBreaks || gap.lineBreaks > 0
        hasSpaces = hasSpaces || gap.lineBreaks == 0 || gap.beginsWithSpace
        if gap.lineBreaks == 0 { output.put(" ") }
        return gap.end
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
        let joined = try LinkText.written(
            capacity: closing - start, { $0.putJoined(text, start..<closing) })
    {
        return TakenLink(text: joined, end: closing, isWhole: true)
    }
    let word = text.extracting(start..<end)
    let length = max(1, withoutPunctuation(word))
    return TakenLink(
        text: try LinkText(copying: word.extracting(0..<length)), end: end, isWhole: false)
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
    for position in reach(text, behind: start) {
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
    let reach = reach(text, behind: start)
    return reach.first { ends(text, $0) || endsBefore(text, $0) } ?? reach.upperBound
}

/// Where a web address ends, which may hold another one.
func addressEnd(_ text: Span<UInt8>, from start: Int) -> Int {
    let reach = reach(text, behind: start)
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
    switch text[position] {
    case 0...0x20, 0x7F: true
    case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""), UInt8(ascii: "`"),
        UInt8(ascii: "|"):
        true
    // White space of other kinds; typographic quotation marks and dashes.
    case 0xC2...0xE3:
        text.whiteSpaceEnd(at: position) != nil || text.starts(with: [0xC2, 0xBB], at: position)
            || text.starts(with: [0xE2, 0x80], at: position)
                && text.invisibleEnd(at: position) == nil
    default: false
    }
}

extension OutputSpan where Element == UInt8 {
    /// Appends text without white space and what shows nothing.
    mutating func putJoined(_ text: Span<UInt8>, _ range: Range<Int>) {
        put(text, range) { position, _ in
            Gap(text, at: position)?.end ?? text.invisibleEnd(at: position)
        }
    }

    fileprivate mutating func dropPunctuation() {
        removeLast(count - withoutPunctuation(span))
    }
}

/// Takes out a signed link, whose JWS begins at `start`, joined across line breaks: what is joined
/// wrongly has a wrong signature.
func takeSignedLink(
    _ text: Span<UInt8>, jws start: Int
) throws(ActivationError) -> TakenLink? {
    var end = start
    let capacity = min(text.count - start, maximumLinkByteCount + 1) + activateCarrier.utf8.count
    let link = try LinkText.written(capacity: capacity) { output in
        output.put(activateCarrier)
        end = readJWS(text, from: start, into: &output)
        output.dropPunctuation()
    }
    guard let link else { return nil }
    return TakenLink(text: link, end: max(end, start + 1), isWhole: true)
}

/// A JWS ends by itself: its signature has 86 letters.
private func readJWS(
    _ text: Span<UInt8>, from start: Int, into output: inout OutputSpan<UInt8>
) -> Int {
    var position = start
    var dots = 0
    var letters = 0
    while position < text.count, !output.isFull, !(dots == 2 && letters == 86) {
        let byte = text[position]
        if position > start, LinkStart(text, at: position) != nil { break }
        if TextAlphabet.base64URL.holds(byte) {
            letters += 1
        } else if byte == UInt8(ascii: "."), dots < 2 {
            dots += 1
            letters = 0
        } else {
            guard let next = jointEnd(text, position) else { break }
            position = next
            continue
        }
        output.put(byte)
        position += 1
    }
    return position
}

/// Where a JWS may go on that is interrupted here.
private func jointEnd(_ text: Span<UInt8>, _ position: Int) -> Int? {
    if let end = softLineBreakEnd(text, position) ?? text.invisibleEnd(at: position) { return end }
    return Gap(text, at: position).flatMap { $0.lineBreaks > 0 ? $0.end : nil }
}
