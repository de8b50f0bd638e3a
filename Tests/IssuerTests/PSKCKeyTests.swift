// Decryption and authentication of PSKC values, against the tables of RFC 3394 and Wycheproof.
import Foundation
import Keystore
import KeystoreIssuer
import OTP
import Testing

@testable import softtoken_issuer

@Suite("PSKC keys")
struct PSKCKeyTests {
    /// RFC 3394 §4.1, §4.2, §4.3, §4.6.
    static let wraps: [(key: String, clear: String, wrapped: String)] = [
        (
            "000102030405060708090A0B0C0D0E0F", "00112233445566778899AABBCCDDEEFF",
            "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5"
        ),
        (
            "000102030405060708090A0B0C0D0E0F1011121314151617",
            "00112233445566778899AABBCCDDEEFF",
            "96778B25AE6CA435F92B5B97C050AED2468AB8A17AD84E5D"
        ),
        (
            "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
            "00112233445566778899AABBCCDDEEFF",
            "64E8C3F9CE0F5BA263E9777905818A2A93C8191E7D6E8AE7"
        ),
        (
            "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
            "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F",
            "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21"
        ),
    ]

    @Test("RFC 3394's wrapped keys are unwrapped", arguments: wraps.indices)
    func unwrap(index: Int) throws {
        let row = PSKCKeyTests.wraps[index]
        let key = PSKCKey(try secret(hexadecimal: row.key))
        let clear = try key.decrypt(
            octets(row.wrapped), cipher: .keyWrap(keyByteCount: row.key.count / 2))
        #expect(octets(ifAny: clear) == octets(row.clear))
    }

    /// RFC 5649 §6.
    static let paddedWraps = [
        (
            "c37b7e6492584340bed12207808941155068f738",
            "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a"
        ),
        ("466f7250617369", "afbeb0f07dfbf5419200f2ccb50bb24f"),
    ]

    @Test(
        "RFC 5649's wrapped keys are unwrapped, and one with a flipped bit isn't",
        arguments: paddedWraps)
    func padded(clear: String, wrapped: String) throws {
        let key = PSKCKey(
            try secret(hexadecimal: "5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8"))
        let cipher = PSKCCipher.keyWrap(keyByteCount: 24)
        #expect(octets(ifAny: try key.decrypt(octets(wrapped), cipher: cipher)) == octets(clear))
        for bit in 0..<(wrapped.count * 4) {
            var changed = octets(wrapped)
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(try octets(ifAny: key.decrypt(changed, cipher: cipher)) == nil)
        }
    }

    @Test("A wrapped key with a flipped bit is not authentic")
    func flippedWrap() throws {
        let row = PSKCKeyTests.wraps[0]
        let key = PSKCKey(try secret(hexadecimal: row.key))
        for bit in 0..<(24 * 8) {
            var wrapped = octets(row.wrapped)
            wrapped[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(
                try octets(ifAny: key.decrypt(wrapped, cipher: .keyWrap(keyByteCount: 16))) == nil)
        }
    }

    @Test("Lengths that no algorithm makes are rejected", arguments: [0, 8, 17, 23, 25])
    func oddLengths(count: Int) throws {
        let key = PSKCKey(try secret(hexadecimal: PSKCKeyTests.wraps[0].key))
        let value = [UInt8](repeating: 7, count: count)
        for cipher in [
            PSKCCipher.keyWrap(keyByteCount: 16), .cbc(keyByteCount: 16), .cbc(keyByteCount: 32),
        ] {
            #expect(try octets(ifAny: key.decrypt(value, cipher: cipher)) == nil)
        }
    }

    /// NIST SP 800-38A, F.2.1, F.2.3, F.2.5: the first two blocks; the second's last byte, 0x51, is
    /// no padding.
    @Test("A CBC value whose padding can't be is malformed")
    func padding() throws {
        let key = PSKCKey(try secret(hexadecimal: "2b7e151628aed2a6abf7158809cf4f3c"))
        let iv = "000102030405060708090a0b0c0d0e0f"
        let encrypted = "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
        let cipher = PSKCCipher.cbc(keyByteCount: 16)
        #expect(try octets(ifAny: key.decrypt(octets(iv + encrypted), cipher: cipher)) == nil)
    }

    @Test("Padding counts itself where this program wrote it, and holds anything elsewhere")
    func ownPadding() throws {
        let key = PSKCKey(try secret(hexadecimal: "2b7e151628aed2a6abf7158809cf4f3c"))
        let cipher = PSKCCipher.cbc(keyByteCount: 16)
        let bytes = [UInt8](1...20)
        let value = try key.encrypt(Seed(try secret(bytes)))
        #expect(
            try octets(ifAny: key.decrypt(value, cipher: cipher, padding: .count)) == bytes)
        // A bit of the first ciphertext block changes one of the second block's: the padding's first.
        var changed = value
        changed[16 + 4] ^= 1
        #expect(try octets(ifAny: key.decrypt(changed, cipher: cipher))?.count == 20)
        #expect(
            try octets(ifAny: key.decrypt(changed, cipher: cipher, padding: .count)) == nil)
    }

    @Test(
        "Wycheproof's HMAC cases: valid ones hold, modified ones don't",
        .enabled(if: Vectors.arePresent, "needs ../shared/vectors"),
        arguments: [HashAlgorithm.sha1, .sha256, .sha512])
    func wycheproof(algorithm: HashAlgorithm) throws {
        let name = "wycheproof/hmac_\(algorithm.name.lowercased())_test.json"
        let data = try Data(contentsOf: Vectors.folder.appendingPathComponent(name))
        let file = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let groups = try #require(file["testGroups"] as? [[String: Any]])
        var verdicts = [true: 0, false: 0]
        for test in groups.flatMap({ $0["tests"] as? [[String: Any]] ?? [] }) {
            let field = { (name: String) in octets(test[name] as? String ?? "") }
            guard !field("key").isEmpty, field("key").count <= 64 else { continue }
            let key = PSKCKey(try secret(field("key")))
            let isFull = field("tag").count == algorithm.macByteCount
            let isExpected = test["result"] as? String == "valid" && isFull
            let isValid = isEqualInConstantTime(
                field("tag"), try key.mac(of: field("msg"), algorithm: algorithm))
            #expect(isValid == isExpected, "case \(test["tcId"] ?? "")")
            verdicts[isValid, default: 0] += 1
        }
        #expect(verdicts[true, default: 0] > 20 && verdicts[false, default: 0] > 20)
    }

    @Test("MACs that are empty, short or long are not valid")
    func shortMACs() throws {
        let key = PSKCKey(try secret(Array("key".utf8)))
        let message = Array("The quick brown fox jumps over the lazy dog".utf8)
        let mac = octets("de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9")
        let made = try key.mac(of: message, algorithm: .sha1)
        #expect(isEqualInConstantTime(mac, made))
        for other in [[], mac.dropLast(), mac + [0]] {
            #expect(!isEqualInConstantTime(other, made))
        }
        #expect(!isEqualInConstantTime(mac, try key.mac(of: message, algorithm: .sha256)))
    }

    @Test("PBKDF2's costs are bounded before any work")
    func bounds() {
        let make = { (salt: Int, rounds: Int) in
            PBKDF2Parameters(
                salt: [UInt8](repeating: 1, count: salt), iterationCount: rounds,
                algorithm: .sha1)
        }
        #expect(make(8, 1000) != nil)
        #expect(make(0, 1000) == nil)
        #expect(make(8, 0) == nil)
        #expect(make(8, 10_000_001) == nil)
        #expect(make(1025, 1000) == nil)
    }

    @Test("Secret text has one spelling", arguments: ["QQ=", "Q", "QR==", "QQ==QQ==", "QQ", "="])
    func base64(text: String) throws {
        #expect(try decoded(Array(text.utf8)) == nil)
    }

    @Test("Secret text comes back as it went")
    func roundTrip() throws {
        for count in 1...40 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ count) }
            var text: [UInt8] = []
            Seed(try secret(bytes)).appendBase64(to: &text)
            #expect(text == Array(Data(bytes).base64EncodedString().utf8))
            #expect(try decoded(text + Array(" \n".utf8)) == bytes)
        }
    }
}
