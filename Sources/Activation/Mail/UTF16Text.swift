// Text in UTF-16 (RFC 2781), as Windows saves it and some mail programs send it, as UTF-8.

enum UTF16Order {
    case littleEndian
    case bigEndian

    /// The order that a byte order mark tells; nil without one.
    init?(mark text: Span<UInt8>) {
        if text.starts(with: [0xFF, 0xFE]) {
            self = .littleEndian
        } else if text.starts(with: [0xFE, 0xFF]) {
            self = .bigEndian
        } else {
            return nil
        }
    }
}

/// A text in UTF-8. What is no character, and a mark at the beginning, is left out.
func utf16Decoded(_ text: Span<UInt8>, _ order: UTF16Order) throws(ActivationError) -> LinkText? {
    // Two bytes become three at most.
    try LinkText.written(capacity: text.count / 2 * 3) { output in
        var position = 0
        while let scalar = nextScalar(text, &position, order) {
            guard scalar != 0xFEFF, let scalar = Unicode.Scalar(scalar) else { continue }
            for byte in UTF8.encode(scalar) ?? .init() { output.put(byte) }
        }
    }
}

/// The next code point; half a pair stands for itself, which is no character.
private func nextScalar(
    _ text: Span<UInt8>, _ position: inout Int, _ order: UTF16Order
) -> UInt32? {
    guard let first = unit(text, position, order) else { return nil }
    position += 2
    guard (0xD800..<0xDC00).contains(first), let second = unit(text, position, order),
        (0xDC00..<0xE000).contains(second)
    else { return first }
    position += 2
    return 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
}

private func unit(_ text: Span<UInt8>, _ position: Int, _ order: UTF16Order) -> UInt32? {
    guard position + 1 < text.count else { return nil }
    let (first, second) = (UInt32(text[position]), UInt32(text[position + 1]))
    return order == .littleEndian ? second << 8 | first : first << 8 | second
}
