// Seeds from text: RFC 4648 §6 and §10, and what people's clipboards do to it.
import Testing

@testable import Keystore

@Suite("Base32 seeds")
struct Base32Tests {
    /// RFC 4648 §10.
    @Test(
        "RFC 4648's vectors, padded or not, in either case",
        arguments: [
            ("MY======", "f"), ("MZXQ====", "fo"), ("MZXW6===", "foo"), ("MZXW6YQ=", "foob"),
            ("MZXW6YTB", "fooba"), ("MZXW6YTBOI======", "foobar"),
        ])
    func published(text: String, plain: String) throws {
        let bare = text.replacing("=", with: "")
        let spaced = bare.map { "\($0)" }.joined(separator: " ")
        for spelling in [text, bare, bare.lowercased(), spaced, "-\(bare)-", text + "= ="] {
            try expect(spelling, gives: Array(plain.utf8))
        }
    }

    @Test("Every value of the alphabet, and 64 bytes at most")
    func alphabetAndLength() throws {
        try expect(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
            gives: hexadecimalBytes("00443214c74254b635cf84653a56d7c675be77df"))
        let longest = String(repeating: "77777777", count: 12) + "7777777"
        try expect(longest, gives: [UInt8](repeating: 0xff, count: 64))
        #expect(throws: KeystoreError.malformedSeed(.tooLong)) { try decode(longest + "7") }
    }

    @Test("Unused bits of the last character need not be zero")
    func unusedBits() throws { try expect("MZ", gives: Array("f".utf8)) }

    @Test("Text without a character is empty", arguments: ["", "=", "====", " - ", "- =="])
    func empty(text: String) {
        #expect(throws: KeystoreError.malformedSeed(.empty)) { try decode(text) }
    }

    @Test(
        "What is no base32 is rejected",
        arguments: [
            "M", "MZX", "MZXW6Y", "MZXW6YTBO", "M0", "M1", "M8", "M9", "MZ=A", "M=Z", "MZ+/", "M\n",
            "MZ\0", "MÄ", "MZ_Q", "MZ.Q", "0x4d5a",
        ])
    func rejected(text: String) {
        #expect(throws: KeystoreError.malformedSeed(.notBase32)) { try decode(text) }
    }

    private func decode(_ text: String) throws {
        let bytes = Array(text.utf8)
        _ = try Seed(base32: bytes.span)
    }

    private func expect(_ text: String, gives expected: [UInt8]) throws {
        let bytes = Array(text.utf8)
        let seed = try Seed(base32: bytes.span)
        #expect(seed.byteCount == expected.count)
        #expect(seed.bytes.matches(try secret(expected)), "\(text)")
    }
}
