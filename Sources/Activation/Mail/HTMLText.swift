// The text and the addresses of an HTML mail, as far as links need them: tags go, what `href` says
// stays on a line of its own, entities stand for their characters.
internal import Linux

/// After so many brackets that begin no whole tag, the rest is read as text.
private let maximumOpenTags = 64

func htmlText(_ html: Span<UInt8>) throws(ActivationError) -> LinkText? {
    var openTags = 0
    // What replaces a tag is no longer than the tag.
    return try LinkText.rewritten(html) { position, output in
        // A page of tags that never end would be read to its end for each of them.
        guard html[position] == UInt8(ascii: "<"), openTags < maximumOpenTags else {
            var next = position
            let byte = entityByte(html, at: &next, end: html.count)
            // A line of the source ends nothing that a tag has not ended.
            if byte != 0x0A || !output.endsLine { output.put(byte) }
            return next
        }
        guard let end = tagEnd(html, position) else {
            openTags += 1
            return nil
        }
        writeTag(html, position..<end, to: &output)
        // `<br>` and the line end of its source are one line break.
        return isLineBreak(html, position) ? blankLineEnd(html, end) ?? end : end
    }
}

/// A text whose entities stand for their characters: `&amp;` in a link that was copied from HTML.
func entitiesDecoded(_ text: Span<UInt8>) throws(ActivationError) -> LinkText? {
    try LinkText.rewritten(text) { position, output in
        var next = position
        output.put(entityByte(text, at: &next, end: text.count))
        return next
    }
}

extension OutputSpan where Element == UInt8 {
    fileprivate var endsLine: Bool { !isEmpty && self[count - 1] == 0x0A }
}

/// Where a tag ends; nil where a bracket begins none.
private func tagEnd(_ html: Span<UInt8>, _ start: Int) -> Int? {
    guard start + 1 < html.count else { return nil }
    let next = html[start + 1]
    guard next.isLetter || next == UInt8(ascii: "/") || next == UInt8(ascii: "!"),
        // An address in angle brackets, as plain text has it.
        !html.hasPrefix("otpauth:", at: start + 1), !html.hasPrefix("softtoken:", at: start + 1),
        !html.hasPrefix("https:", at: start + 1)
    else { return nil }
    var quote: UInt8?
    for index in (start + 1)..<html.count {
        let byte = html[index]
        if let open = quote {
            if byte == open { quote = nil }
        } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
            quote = byte
        } else if byte == UInt8(ascii: ">") {
            return index + 1
        }
    }
    return nil
}

private func writeTag(
    _ html: Span<UInt8>, _ tag: Range<Int>, to output: inout OutputSpan<UInt8>
) {
    let address = hrefRange(html, tag)
    // A link in another place of the tag is none that a page shows, but it is one of two.
    guard !holdsLink(html, tag, outside: address) else {
        for index in tag.dropFirst().dropLast() { output.put(html[index]) }
        return output.put("\n")
    }
    let start = tag.lowerBound + (html[tag.lowerBound + 1] == UInt8(ascii: "/") ? 2 : 1)
    let inline = ["wbr", "b>", "i>", "em>", "strong>", "span", "font", "u>"]
    guard !inline.contains(where: { html.hasPrefix($0, at: start) }) else { return }
    // A block begins a line, which one before it may have ended already.
    let isSeparate = isLineBreak(html, tag.lowerBound) || html.hasPrefix("p", at: start)
    if isSeparate || !output.endsLine { output.put("\n") }
    guard let address else { return }
    // In brackets, so that raw spaces don't end it.
    output.put("<")
    var position = address.lowerBound
    while position < address.upperBound {
        switch entityByte(html, at: &position, end: address.upperBound) {
        case 0x0A, 0x0D, 0x09: continue
        // What would close the brackets makes it no link at all.
        case UInt8(ascii: ">"): output.put(0x7F)
        case let byte: output.put(byte)
        }
    }
    output.put(">\n")
}

private func holdsLink(_ html: Span<UInt8>, _ tag: Range<Int>, outside address: Range<Int>?) -> Bool
{
    tag.contains { index in
        guard address?.contains(index) != true else { return false }
        switch LinkStart(html, at: index) {
        case .otpauth, .signed, .damaged: return true
        case .web: return isGatewayAddress(html, at: index)
        case nil: return false
        }
    }
}

private func isLineBreak(_ html: Span<UInt8>, _ tag: Int) -> Bool {
    html.hasPrefix("<br", at: tag)
}

/// Where the address of a tag stands.
private func hrefRange(_ html: Span<UInt8>, _ tag: Range<Int>) -> Range<Int>? {
    guard let name = html.firstRange(of: "href=", in: tag), name.upperBound < tag.upperBound - 1,
        html[name.lowerBound - 1].isWhiteSpace
    else { return nil }
    let quote = html[name.upperBound]
    guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
        let end = (name.upperBound..<tag.upperBound - 1).first { html[$0].isWhiteSpace }
        return name.upperBound..<(end ?? tag.upperBound - 1)
    }
    let start = name.upperBound + 1
    let end = (start..<tag.upperBound).first { html[$0] == quote }
    return end.map { start..<$0 }
}

/// The character that stands at `position`, which moves behind it. An entity that no link needs
/// stands for a space; one that shows nothing (soft hyphen, zero width space) isn't met in links.
private func entityByte(_ text: Span<UInt8>, at position: inout Int, end: Int) -> UInt8 {
    let byte = text[position]
    position += 1
    guard byte == UInt8(ascii: "&"),
        let semicolon = text.firstIndex(of: ";", in: position..<min(position + 8, end))
    else { return byte }
    let names: [(String, UInt8)] = [
        ("amp", UInt8(ascii: "&")), ("lt", UInt8(ascii: "<")), ("gt", UInt8(ascii: ">")),
        ("quot", UInt8(ascii: "\"")), ("apos", UInt8(ascii: "'")), ("nbsp", UInt8(ascii: " ")),
        ("equals", UInt8(ascii: "=")), ("colon", UInt8(ascii: ":")), ("num", UInt8(ascii: "#")),
    ]
    let entity = position..<semicolon
    for (name, character) in names
    where entity.count == name.utf8.count && text.hasPrefix(name, at: position) {
        position = semicolon + 1
        return character
    }
    guard let number = entityNumber(text, entity), (0x20..<0x7F).contains(number) else {
        return byte
    }
    position = semicolon + 1
    return UInt8(number)
}

/// The number of `&#38;` or `&#x26;`.
private func entityNumber(_ text: Span<UInt8>, _ entity: Range<Int>) -> Int? {
    guard text.hasPrefix("#", at: entity.lowerBound) else { return nil }
    let isHexadecimal = text.hasPrefix("#x", at: entity.lowerBound)
    let digits = entity.dropFirst(isHexadecimal ? 2 : 1)
    guard !digits.isEmpty else { return nil }
    var number = 0
    for index in digits {
        guard let value = TextAlphabet.hexadecimal.value(of: text[index]),
            isHexadecimal || value < 10
        else { return nil }
        number = number * (isHexadecimal ? 16 : 10) + Int(value)
    }
    return number
}
