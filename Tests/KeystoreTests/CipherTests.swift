// XChaCha20-Poly1305, Ed25519, BLAKE2b, crypto_kdf and Argon2id against what others published.
import KeystoreIssuer
import Testing

@testable import Keystore

@Suite("Ciphers, hashes and signatures as published")
struct CipherTests {
    @Test("Wycheproof XChaCha20-Poly1305", .enabled(if: SharedVectors.areThere))
    func wycheproofAEAD() throws {
        var judged = 0
        for (_, test) in try SharedVectors.wycheproof("xchacha20_poly1305") {
            let nonce = try test.bytes("iv")
            // Other lengths can't be asked for: a box's nonce is its first 24 bytes.
            guard nonce.count == Box.nonceByteCount else { continue }
            let box = Box(
                nonce: nonce, ciphertext: try test.bytes("ct") + (try test.bytes("tag")))
            let key = try secret(try test.bytes("key"))
            let plain = box.decrypt(key: key, additional: try test.bytes("aad"))
            let isValid = test["result"] as? String == "valid"
            #expect(try plain == (isValid ? test.bytes("msg") : nil), "\(test["tcId"] ?? "")")
            let guarded = try box.decryptSecret(key: key, additional: try test.bytes("aad"))
            // An empty secret is no secret here.
            let isSecret = guarded != nil
            #expect(try isSecret == (isValid && !test.bytes("msg").isEmpty))
            judged += 1
        }
        #expect(judged > 280)
    }

    @Test("What is encrypted opens under its key, nonce and additional data alone")
    func roundTrip() throws {
        let key = try SecureBytes(randomCount: 32)
        let box = Box(encrypting: Array("public".utf8), key: key, additional: [1, 2])
        #expect(box.decrypt(key: key, additional: [1, 2]) == Array("public".utf8))
        #expect(box.decrypt(key: key, additional: [1, 3]) == nil)
        #expect(box.decrypt(key: try SecureBytes(randomCount: 32), additional: [1, 2]) == nil)
        let again = Box(encrypting: Array("public".utf8), key: key, additional: [1, 2])
        #expect(again.nonce != box.nonce)
        #expect(Box(box.bytes[...]) == box)
        #expect(Box([]).decrypt(key: key, additional: []) == nil)
    }

    @Test("Wycheproof Ed25519", .enabled(if: SharedVectors.areThere))
    func wycheproofSignatures() throws {
        for (group, test) in try SharedVectors.wycheproof("ed25519") {
            let published = try #require(group["publicKey"] as? [String: Any])
            let key = try #require(VerifyingKey(try published.bytes("pk")))
            let message = try test.bytes("msg")
            let isValid = key.isValid(try test.bytes("sig"), of: message.span)
            #expect(isValid == (test["result"] as? String == "valid"), "\(test["tcId"] ?? "")")
        }
    }

    @Test("RFC 8032 §7.1, TEST 2: key, signature and its verification")
    func ed25519() throws {
        let key = try SigningKey(
            seed: secret(
                hexadecimalBytes(
                    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")))
        #expect(
            try key.verifyingKey.bytes
                == hexadecimalBytes(
                    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"))
        let signature = key.sign([0x72])
        #expect(
            try signature
                == hexadecimalBytes(
                    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                        + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"))
        let message: [UInt8] = [0x72]
        let other: [UInt8] = [0x73]
        let verdicts = [
            key.verifyingKey.isValid(signature, of: message.span),
            key.verifyingKey.isValid(signature, of: other.span),
            key.verifyingKey.isValid(Array(signature.dropLast()), of: message.span),
        ]
        #expect(verdicts == [true, false, false])
    }

    /// RFC 7693 Appendix A, and the first and last rows of the BLAKE2 authors' blake2b-kat.txt.
    @Test("BLAKE2b, unkeyed and keyed, whole and in pieces")
    func blake2bVectors() throws {
        #expect(
            try blake2b(Array("abc".utf8), byteCount: 64)
                == hexadecimalBytes(
                    "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
                        + "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"))
        #expect(
            try blake2b([], byteCount: 32)
                == hexadecimalBytes(
                    "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"))
        let key = Array(UInt8(0)...63)
        #expect(
            try BLAKE2b(byteCount: 64, key: secret(key)).finalize()
                == hexadecimalBytes(
                    "10ebb67700b1868efb4417987acf4690ae9d972fb7a590c2f02871799aaa4786"
                        + "b5e996e8f0f4eb981fc214b005f42d2ff4233499391653df7aefcbc13fc51568"))
        var pieces = try BLAKE2b(byteCount: 64, key: secret(key))
        for byte in UInt8(0)..<255 { pieces.update([byte]) }
        #expect(
            try pieces.finalize()
                == hexadecimalBytes(
                    "142709d62e28fcccd0af97fad0f8465b971e82201dc51070faa0372aa43e9248"
                        + "4be1c1e73ba10906d5d1853db6a4106e0a7bf9800d373d6dee2d46d62ef2a461"))
    }

    @Test("A secret is hashed in one call as public bytes are, and never further than asked")
    func ofSecrets() throws {
        let bytes = Array(UInt8(0)..<100)
        let key = Array(UInt8(0)...63)
        let whole = try secret(bytes)
        #expect(
            blake2b(ofSecret: whole, prefix: 40, byteCount: 16)
                == blake2b(Array(bytes.prefix(40)), byteCount: 16))
        let mac = try blake2b(ofSecret: whole, prefix: 56, key: secret(key), byteCount: 32)
        #expect(mac == blake2b(Array(bytes.prefix(56)), publicKey: key, byteCount: 32))
        let hash = try blake2bSecret(bytes, key: secret(key), byteCount: 32)
        let read = hash.read { hash in hash.indices.map { hash[$0] } }
        #expect(read == blake2b(bytes, publicKey: key, byteCount: 32))
    }

    /// By Python's hashlib, FORMAT.md §2: BLAKE2b-256, salt 1, personal "stdevice".
    @Test("A subkey is BLAKE2b with salt and personalization")
    func subkey() throws {
        let root = RootKey(try secret(Array(UInt8(0)...31)))
        let expected = try hexadecimalBytes(
            "6d36a43a95d292862998a4a61ab26528268ba51b4f097862594faaa093bece71")
        #expect(try root.subkey(1, "stdevice").matches(try secret(expected)))
        #expect(!(try root.subkey(2, "stdevice").matches(try secret(expected))))
    }

    /// By the reference implementation (Debian's argon2 0~20171227):
    /// `argon2 softtoken-salt-1 -id -t 3 -k 262144 -p 1 -l 32 -r`. libsodium's published rows ask
    /// for other lengths than the 32 bytes that this function gives.
    @Test("Argon2id at the cost of a keystore is the reference implementation's")
    func argon2idAtModerate() throws {
        let key = try argon2id(
            secret(Array("2758".utf8)), salt: Array("softtoken-salt-1".utf8),
            operations: KDFCost.moderate.operations, memoryBytes: KDFCost.moderate.memoryBytes)
        let expected = try hexadecimalBytes(
            "31c64f22eb5fa2efa1549ba28c56db0621729df4175fb5baaf630d4d20d5d4a9")
        #expect(key.matches(try secret(expected)))
    }

    @Test("No memory for Argon2id is a failure, never a key")
    func argon2idWithoutMemory() throws {
        let pin = try secret(Array("2758".utf8))
        var caught: KeystoreError?
        do throws(KeystoreError) {
            _ = try argon2id(
                pin, salt: [UInt8](repeating: 0, count: 16), operations: 3, memoryBytes: 1 << 46)
        } catch { caught = error }
        #expect(caught == .outOfMemory)
    }
}
