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
