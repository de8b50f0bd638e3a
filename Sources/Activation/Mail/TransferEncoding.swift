// What mail does to bytes: quoted-printable (RFC 2045 §6.7) and base64 (§6.8). Both are decoded
// leniently, because a damaged mail is still a prescriber's mail; the link in it is judged strictly.
import Linux

/// Undoes quoted-printable: `=3D`, and soft line breaks.
func quotedPrintableDecoded(_ text: Span<UInt8>) throws(ActivationError) -> LinkText? {
    try LinkText.rewritten(text) { position, output in
        if let next = softLineBreakEnd(text, position) { return next }
        guard let byte = quotedByte(text, position) else { return nil }
        output.put(byte)
        return position + 3
    }
}

/// Undoes base64; line breaks and whatever else is no letter are skipped.
func base64Decoded(_ text: Span<UInt8>) throws(ActivationError) -> LinkText? {
    try LinkText.written(capacity: text.count) { output in
        TextAlphabet.base64.decode(text) { output.put($0) }
    }
}

/// Undoes JSON's escapes that a link may get: `\/`, and `\u0026` for an ampersand and its like.
///
/// - Returns: nil for a text that isn't JSON, or has none.
func jsonTextDecoded(_ text: Span<UInt8>) throws(ActivationError) -> LinkText? {
    guard let first = text.trimmed(text.indices).first, Array("{[\"".utf8).contains(text[first]),
        text.firstRange(of: "\\/", in: text.indices) != nil
            || text.firstRange(of: "\\u00", in: text.indices) != nil
    else { return nil }
    return try LinkText.rewritten(text) { position, output in
        if text.hasPrefix("\\/", at: position) { return position + 1 }
        guard text.hasPrefix("\\u00", at: position),
            let byte = text.hexadecimalByte(at: position + 4), (0x20...0x7F).contains(byte)
        else { return nil }
        output.put(byte)
        return position + 6
    }
}

/// Whether a text without a mail's header is quoted-printable: it is where a line ends softly,
/// `=3D` stands somewhere, and no equals sign stands for itself.
func isQuotedPrintable(_ text: Span<UInt8>) -> Bool {
    var hasSoftLineBreak = false
    var hasEqualsSign = false
    for index in text.indices where text[index] == UInt8(ascii: "=") {
        if softLineBreakEnd(text, index) != nil {
            hasSoftLineBreak = true
        } else if let byte = quotedByte(text, index) {
            hasEqualsSign = hasEqualsSign || byte == UInt8(ascii: "=")
        } else {
            return false
        }
    }
    return hasSoftLineBreak && hasEqualsSign
}

/// Whether one link is quoted-printable: each of its equals signs is `=3D`.
///
/// - Throws: `ActivationError.brokenLink` where the only one stands before a seed that may itself
///   begin with "3D".
func isQuotedPrintableLink(_ link: Span<UInt8>) throws(ActivationError) -> Bool {
    let signs = link.indices.filter { link[$0] == UInt8(ascii: "=") }
    guard let first = signs.first, signs.allSatisfy({ link.hasPrefix("=3D", at: $0) }) else {
        return false
    }
    guard signs.count == 1, link.hasPrefix("otpauth:") else { return true }
    let end = link.firstIndex(of: "&", in: first..<link.count) ?? link.count
    let letters = end - first - 1
    // 5 letters spell 3 bytes and a bit: no whole seed has 1, 3 or 6 letters over eight.
    let (isSeed, isSeedWithout) = (
        ![1, 3, 6].contains(letters % 8), ![3, 5, 0].contains(letters % 8)
    )
    guard !isSeed || !isSeedWithout else { throw .brokenLink }
    return isSeedWithout
}

/// Undoes format=flowed with DelSp (RFC 3676 §4.2): a line that ends in a space goes on in the next
/// one, without the space and the marks of a reply.
func flowedDecoded(_ text: Span<UInt8>) throws(ActivationError) -> LinkText? {
    try LinkText.rewritten(text) { position, _ in
        text[position] == 0x20 ? flowedLineStart(text, behind: position) : nil
    }
}

/// Where the line goes on that a space ends; nil where none ends there. A signature's mark, "-- ",
/// doesn't go on.
private func flowedLineStart(_ text: Span<UInt8>, behind space: Int) -> Int? {
    var next = space + 1
    if next < text.count, text[next] == 0x0D { next += 1 }
    guard next < text.count, text[next] == 0x0A,
        !(space >= 2 && text.hasPrefix("--", at: space - 2)
            && (space == 2 || text[space - 3] == 0x0A))
    else { return nil }
    next += 1
    while next < text.count, text[next] == UInt8(ascii: ">") { next += 1 }
    // A space that was put before a line, so that it isn't taken for a reply's.
    if next < text.count, text[next] == 0x20 { next += 1 }
    return next
}

/// Where the next line begins, if a line ends softly here.
func softLineBreakEnd(_ text: Span<UInt8>, _ position: Int) -> Int? {
    text[position] == UInt8(ascii: "=") ? blankLineEnd(text, position + 1) : nil
}

/// Where the next line begins, if nothing but blanks stand in the rest of this one.
func blankLineEnd(_ text: Span<UInt8>, _ start: Int) -> Int? {
    let end = (start..<text.count).first { ![0x20, 0x09, 0x0D].contains(text[$0]) }
    return end.flatMap { text[$0] == 0x0A ? $0 + 1 : nil }
}

private func quotedByte(_ text: Span<UInt8>, _ position: Int) -> UInt8? {
    text[position] == UInt8(ascii: "=") ? text.hexadecimalByte(at: position + 1) : nil
}
