// Links are read as bytes: what is asked of them here never makes a String of what may be a seed
// (STYLE 8).

extension Span where Element == UInt8 {
    /// Whether ASCII text stands at a position, in either case.
    func hasPrefix(_ ascii: String, at start: Int = 0) -> Bool {
        guard count - start >= ascii.utf8.count else { return false }
        var position = start
        for expected in ascii.utf8 {
            guard self[position].lowercased == expected.lowercased else { return false }
            position += 1
        }
        return true
    }

    /// Where ASCII text first stands, in either case.
    func firstRange(of ascii: String, in range: Range<Int>) -> Range<Int>? {
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
    func firstIndex(of byte: Unicode.Scalar, in range: Range<Int>) -> Int? {
        range.first { self[$0] == UInt8(ascii: byte) }
    }

    /// The range without white space around it.
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var range = range
        while let first = range.first, self[first].isWhiteSpace { range = range.dropFirst() }
        while let last = range.last, self[last].isWhiteSpace { range = range.dropLast() }
        return range
    }
}

extension UInt8 {
    var isWhiteSpace: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
    /// ASCII's controls; those of Unicode are looked for in decoded text.
    var isControl: Bool { self < 0x20 || self == 0x7F }
    var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    var isLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(lowercased) }

    var lowercased: UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self + 0x20 : self
    }

    /// A hexadecimal digit's value, in either case.
    var hexadecimalValue: UInt8? {
        switch lowercased {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): lowercased - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
