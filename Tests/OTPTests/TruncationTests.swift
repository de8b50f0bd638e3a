// RFC 4226 §5.3, steps 2 and 3: from a MAC to digits.
import Testing

@testable import OTP

/// RFC 4226 Appendix D: HMAC-SHA-1(secret, count), truncated, HOTP.
private let appendixD: [(mac: String, truncated: UInt32, code: String)] = [
    ("cc93cf18508d94934c64b65d8ba7667fb7cde4b0", 1_284_755_224, "755224"),
    ("75a48a19d4cbe100644e8ac1397eea747a2d33ab", 1_094_287_082, "287082"),
    ("0bacb7fa082fef30782211938bc1c5e70416ff44", 137_359_152, "359152"),
    ("66c28227d03a2d5529262ff016a1e6ef76557ece", 1_726_969_429, "969429"),
    ("a904c900a64b35909874b33e61c5938a8e15ed1c", 1_640_338_314, "338314"),
    ("a37e783d7b7233c083d4f62926c7a25f238d0316", 868_254_676, "254676"),
    ("bc9cd28561042c83f219324d3c607256c03272ae", 1_918_287_922, "287922"),
    ("a4fb960c0bc06e1eabb804e5b397cdc4b45596fa", 82_162_583, "162583"),
    ("1b3c89f65e6c9e883012052823443f048b4332db", 673_399_871, "399871"),
    ("1637409809a679dc698207310c8c7fc07290d9e5", 645_520_489, "520489"),
]

@Suite("RFC 4226 §5.3: truncation and digits")
struct TruncationTests {
    @Test("Appendix D's MACs give its truncated values and codes", arguments: appendixD.indices)
    func appendixDRow(index: Int) throws {
        let row = appendixD[index]
        let mac = bytes(row.mac)
        let truncated = truncate(mac.span)
        #expect(truncated == row.truncated)
        let six = try #require(DigitCount(6))
        #expect(String(decoding: six.digits(of: truncated), as: UTF8.self) == row.code)
    }

    @Test("The example of RFC 4226 §5.4")
    func exampleOfSection5Point4() throws {
        let mac = bytes("1f8698690e02ca16618550ef7f19da8e945b555a")
        let truncated = truncate(mac.span)
        #expect(truncated == 0x50ef_7f19)
        let six = try #require(DigitCount(6))
        #expect(six.digits(of: 0x50ef_7f19) == Array("872921".utf8))
    }

    @Test("The offset is the low nibble of the last byte, the highest bit is dropped")
    func offsetAndSignBit() {
        for byteCount in [20, 32, 64] {
            for offset in 0..<16 {
                var mac = (0..<byteCount).map { UInt8(0x80 | $0) }
                mac[byteCount - 1] = UInt8(0xf0 | offset)
                var expected: UInt32 = 0
                for index in offset..<offset + 4 { expected = expected << 8 | UInt32(mac[index]) }
                let truncated = truncate(mac.span)
                #expect(truncated == expected & 0x7fff_ffff)
            }
        }
    }

    @Test(
        "Leading zeros stay",
        arguments: [(6, 0, "000000"), (7, 12, "0000012"), (8, 2_147_483_647, "47483647")]
            as [(Int, UInt32, String)])
    func leadingZeros(digits: Int, truncated: UInt32, code: String) throws {
        let count = try #require(DigitCount(digits))
        #expect(String(decoding: count.digits(of: truncated), as: UTF8.self) == code)
    }

    @Test("An OTP has 6, 7 or 8 digits")
    func digitCounts() {
        for value in -1...300 {
            #expect((DigitCount(value) != nil) == [6, 7, 8].contains(value))
        }
    }

    private func bytes(_ hexadecimal: String) -> [UInt8] {
        let digits = Array(hexadecimal)
        return stride(from: 0, to: digits.count, by: 2).map {
            UInt8(String(digits[$0...$0 + 1]), radix: 16)!
        }
    }
}
