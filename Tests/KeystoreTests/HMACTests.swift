// RFC 4226 §5.3, step 1, and whole codes: HMAC-SHA-1, SHA-256 and SHA-512 as they are used here.
import OTP
import Testing

@testable @_spi(Issuer) import Keystore

/// RFC 6238 Appendix B: time, then the codes in SHA-1, SHA-256 and SHA-512.
private let appendixB: [(unixSeconds: Int64, codes: [String])] = [
    (59, ["94287082", "46119246", "90693936"]),
    (1_111_111_109, ["07081804", "68084774", "25091201"]),
    (1_111_111_111, ["14050471", "67062674", "99943326"]),
    (1_234_567_890, ["89005924", "91819424", "93441116"]),
    (2_000_000_000, ["69279037", "90698825", "38618901"]),
    (20_000_000_000, ["65353130", "77737706", "47863826"]),
]

/// RFC 4226 Appendix D: the intermediate MACs of counters 0 to 9.
private let appendixD = [
    "cc93cf18508d94934c64b65d8ba7667fb7cde4b0", "75a48a19d4cbe100644e8ac1397eea747a2d33ab",
    "0bacb7fa082fef30782211938bc1c5e70416ff44", "66c28227d03a2d5529262ff016a1e6ef76557ece",
    "a904c900a64b35909874b33e61c5938a8e15ed1c", "a37e783d7b7233c083d4f62926c7a25f238d0316",
    "bc9cd28561042c83f219324d3c607256c03272ae", "a4fb960c0bc06e1eabb804e5b397cdc4b45596fa",
    "1b3c89f65e6c9e883012052823443f048b4332db", "1637409809a679dc698207310c8c7fc07290d9e5",
]

@Suite("HMAC and the codes made with it")
struct HMACTests {
    @Test("RFC 4226 Appendix D: the intermediate MACs and their truncation")
    func appendixDMACs() throws {
        var generator = try CodeGenerator(
            seed: try publishedSeed(byteCount: 20), algorithm: .sha1)
        for (counter, expected) in appendixD.enumerated() {
            let mac = generator.mac(of: [0, 0, 0, 0, 0, 0, 0, UInt8(counter)])
            #expect(try mac == hexadecimalBytes(expected))
            #expect(
                generator.truncatedMACs(first: UInt64(counter), count: 1) == [truncate(mac.span)])
        }
    }

    @Test("RFC 4226 Appendix D: ten codes of one keying")
    func appendixDCodes() throws {
        var generator = try CodeGenerator(
            seed: try publishedSeed(byteCount: 20), algorithm: .sha1)
        let six = try #require(DigitCount(6))
        let codes = generator.truncatedMACs(first: 0, count: 10).map {
            String(decoding: six.digits(of: $0), as: UTF8.self)
        }
        #expect(
            codes == [
                "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583",
                "399871", "520489",
            ])
    }

    @Test("RFC 6238 Appendix B in all three algorithms", arguments: HashAlgorithm.allCases)
    func appendixBCodes(algorithm: HashAlgorithm) throws {
        var generator = try CodeGenerator(
            seed: try publishedSeed(byteCount: algorithm.macByteCount), algorithm: algorithm)
        for row in appendixB {
            let step = TimeStep(at: row.unixSeconds, seconds: 30)
            let truncated = generator.truncatedMACs(first: step.number, count: 1)[0]
            let expected = row.codes[Int(algorithm.rawValue) - 1]
            for digits in 6...8 {
                let code = try #require(DigitCount(digits)).digits(of: truncated)
                #expect(String(decoding: code, as: UTF8.self) == expected.suffix(digits))
            }
        }
    }

    @Test("The last counters of all wrap without a trap")
    func countersAtTheEnd() throws {
        var generator = try CodeGenerator(seed: try publishedSeed(byteCount: 20), algorithm: .sha1)
        let last = generator.truncatedMACs(first: .max, count: 2)
        #expect(last[1] == generator.truncatedMACs(first: 0, count: 1)[0])
    }

    @Test(
        "Wycheproof HMAC", .enabled(if: SharedVectors.areThere),
        arguments: [
            ("hmac_sha1", HashAlgorithm.sha1), ("hmac_sha256", .sha256), ("hmac_sha512", .sha512),
        ])
    func wycheproof(file: String, algorithm: HashAlgorithm) throws {
        var judged = 0
        for (_, test) in try SharedVectors.wycheproof(file) {
            let key = try test.bytes("key")
            // Seeds have 64 bytes at most: CONTRACT §4.
            guard (1...Seed.maximumByteCount).contains(key.count) else { continue }
            var generator = try CodeGenerator(seed: Seed(try secret(key)), algorithm: algorithm)
            let tag = try test.bytes("tag")
            let isEqual = generator.mac(of: try test.bytes("msg")).prefix(tag.count)
                .elementsEqual(tag)
            #expect(isEqual == (test["result"] as? String == "valid"), "\(test["tcId"] ?? "")")
            judged += 1
        }
        #expect(judged > 100)
    }
}
