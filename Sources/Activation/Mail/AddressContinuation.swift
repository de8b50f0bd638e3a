// Whether a web address goes on behind white space. Only its part that holds the link matters: up to
// `#softtoken=`, behind which the JWS ends by itself, or to the end of the address that a gateway
// wrapped. What follows that part proves nothing and isn't read.

/// How far the end of that part is looked for.
private let maximumByteCount = 8 << 10

/// Judges one gap of an address.
///
/// - Parameters:
///   - target: what was read of it, `count` bytes; what lies behind them is written over.
///   - gap: the white space in `text`; a word stands behind it.
func addressContinuation(
    of target: inout MutableSpan<UInt8>, _ count: Int, _ text: Span<UInt8>, behind gap: Gap
) -> LinkContinuation {
    guard gap.lineBreaks > 0, linkPartEnd(target.span.extracting(0..<count)) == nil else {
        return .ended
    }
    var words: [(textEnd: Int, count: Int)] = []
    var length = count
    var position = gap.end
    while gap.lineBreaks == 1, length < target.count, length - count < maximumByteCount {
        let end = wordEnd(text, from: position)
        guard end > position, !text.hasPrefix("http", at: position) || words.isEmpty else { break }
        for index in position..<end { target.append(text[index], to: &length) }
        words.append((end, length))
        // What goes on in the next line fills its own.
        guard end < text.count, let gap = Gap(text, at: end), gap.lineBreaks == 1,
            gap.end < text.count
        else { break }
        position = gap.end
    }
    if let end = linkPartEnd(target.span.extracting(0..<length)),
        let last = words.first(where: { $0.count >= end })
    {
        return .joined(end: last.textEnd)
    }
    // A paragraph ends an address that has no other end.
    guard gap.lineBreaks == 1 || !endsWithInnerAddress(target.span.extracting(0..<count)) else {
        return .ended
    }
    // What is signed tells by itself that it was cut.
    let holdsLink = target.span.firstRange(of: "otpauth", in: 0..<count) != nil
    return holdsLink && isWrapped(target.span.extracting(0..<count)) ? .unclear : .ended
}

/// Where a word of an address's characters ends.
private func wordEnd(_ text: Span<UInt8>, from start: Int) -> Int {
    let reach = start..<min(start + maximumByteCount, text.count)
    return reach.first { !isAddressByte(text[$0]) } ?? reach.upperBound
}
