// Text in text, byte for byte.
import Testing

@testable import Linux

@Suite("Byte search")
struct ByteSearchTests {
    @Test(
        "It finds the first place, at either end too",
        arguments: [
            ("QEMU", "QEMU", 0), ("a QEMU QEMU", "QEMU", 2), ("QEM", "QEMU", nil),
            ("QQEMU", "QEMU", 1), ("", "Q", nil), ("abc", "", nil), ("aab", "ab", 1),
            // Not found by Character: the accent belongs to the U.
            ("QEMU\u{301}", "QEMU", 0), ("\u{E9}/dev/fd/3", "/dev/fd/", 2),
        ] as [(String, String, Int?)])
    func first(text: String, part: String, offset: Int?) {
        let found = text.rangeOfBytes(part)
        #expect(
            found.map { text.utf8.distance(from: text.utf8.startIndex, to: $0.lowerBound) }
                == offset)
        #expect(text.holds(part) == (offset != nil))
        if let found { #expect(Array(text[found].utf8) == Array(part.utf8)) }
    }
}
