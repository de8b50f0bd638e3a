// What kind of ASCII a byte is. Text that may hold a secret is read as bytes, never as a String
// (STYLE 8).

extension UInt8 {
    package var isDigit: Bool { (0x30...0x39).contains(self) }
    package var isLetter: Bool { (0x61...0x7A).contains(lowercased) }
    package var isWhiteSpace: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
    /// ASCII's controls; those of Unicode are looked for in decoded text.
    package var isControl: Bool { self < 0x20 || self == 0x7F }
    package var isPrintable: Bool { (0x20...0x7E).contains(self) }

    package var lowercased: UInt8 { (0x41...0x5A).contains(self) ? self + 0x20 : self }
    package var uppercased: UInt8 { (0x61...0x7A).contains(self) ? self - 0x20 : self }
}

extension Span where Element == UInt8 {
    /// Whether ASCII text stands at a position, in either case.
    package func hasPrefix(_ ascii: String, at start: Int = 0) -> Bool {
        guard count - start >= ascii.utf8.count else { return false }
        var position = start
        for expected in ascii.utf8 {
            guard self[position].lowercased == expected.lowercased else { return false }
            position += 1
        }
        return true
    }

    /// Where ASCII text first stands, in either case.
    package func firstRange(of ascii: String, in range: Range<Int>) -> Range<Int>? {
        let length = ascii.utf8.count
        guard range.count >= length, let first = ascii.utf8.first?.lowercased else { return nil }
        // A mail may have 4,096 addresses, behind each of which this looks: the first letter tells
        // most places apart.
        for start in range.lowerBound...(range.upperBound - length)
        where self[start].lowercased == first && hasPrefix(ascii, at: start) {
            return start..<(start + length)
        }
        return nil
    }

    /// Where a byte first stands.
    package func firstIndex(of byte: Unicode.Scalar, in range: Range<Int>) -> Int? {
        range.first { self[$0] == UInt8(ascii: byte) }
    }

    /// The range without white space around it.
    package func trimmed(_ range: Range<Int>) -> Range<Int> {
        var range = range
        while let first = range.first, self[first].isWhiteSpace { range = range.dropFirst() }
        while let last = range.last, self[last].isWhiteSpace { range = range.dropLast() }
        return range
    }

    /// The byte that two hexadecimal digits spell, in either case; nil where none stand.
    package func hexadecimalByte(at position: Int) -> UInt8? {
        guard position + 2 <= count,
            let high = TextAlphabet.hexadecimal.value(of: self[position]),
            let low = TextAlphabet.hexadecimal.value(of: self[position + 1])
        else { return nil }
        return high << 4 | low
    }
}
