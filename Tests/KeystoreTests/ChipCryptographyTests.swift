// The cryptography of a chip's sessions, against what NIST published. KDFe has no published vectors:
// its value was made with Python's hashlib, and the software TPM has to agree in ChipTests.
import Testing

@testable import Keystore

@Suite("The cryptography of a chip's sessions")
struct ChipCryptographyTests {
    /// NIST CAVP, ECC CDH primitive, P-256, counts 0 and 1: the peer's x and y, ours, x and y of its
    /// public point, the shared x.
    private static let agreements = [
        [
            "700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287",
            "db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac",
            "7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534",
            "ead218590119e8876b29146ff89ca61770c4edbbf97d38ce385ed281d8a6b230",
            "28af61281fd35e2fa7002523acc85a429cb06ee6648325389f59edfce1405141",
            "46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b",
        ],
        [
            "809f04289c64348c01515eb03d5ce7ac1a8cb9498f5caa50197e58d43a86a7ae",
            "b29d84e811197f25eba8f5194092cb6ff440e26d4421011372461f579271cda3",
            "38f65d6dce47676044d58ce5139582d568f64bb16098d179dbab07741dd5caf5",
            "119f2f047902782ab0c9e27a54aff5eb9b964829ca99c06b02ddba95b0a3f6d0",
            "8f52b726664cac366fc98ac7a012b2682cbd962e5acb544671d41b9445704d1d",
            "057d636096cb80b67a8c038c890e887d1adfa4195e9b3ce241c8a778c59cda67",
        ],
    ]

    @Test("NIST CAVP ECC CDH, P-256", arguments: agreements)
    func agreement(_ texts: [String]) throws {
        let values = try texts.map { try hexadecimalBytes($0) }
        let scalar = try guardedBytes(values[2])
        let own = try CurvePoint(of: scalar)
        #expect(own == CurvePoint(x: values[3], y: values[4]))
        guard let shared = try sharedSecret(scalar, CurvePoint(x: values[0], y: values[1])) else {
            Issue.record("a point of the curve was refused")
            return
        }
        let bytes = publicBytes(shared)
        #expect(bytes == values[5])
    }

    @Test("What is no point of the curve, and what is no scalar, is refused")
    func outsideOfTheCurve() throws {
        let values = try Self.agreements[0].map { try hexadecimalBytes($0) }
        let scalar = try guardedBytes(values[2])
        var x = values[0]
        x[31] ^= 1
        let isOffCurveRefused = try isRefused(scalar, CurvePoint(x: x, y: values[1]))
        #expect(isOffCurveRefused)
        // p, the curve's field, is no coordinate: 0 under another spelling.
        let p = try hexadecimalBytes(
            "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff")
        let isOverflowRefused = try isRefused(scalar, CurvePoint(x: p, y: values[1]))
        #expect(isOverflowRefused)
        for text in [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        ] {
            let outside = try guardedBytes(try hexadecimalBytes(text))
            let point = try CurvePoint(of: outside)
            #expect(point == nil)
        }
    }

    @Test("A coordinate that begins with zeros has 32 bytes")
    func shortCoordinate() throws {
        var found = false
        for number in 1...UInt16(600) where !found {
            var scalar = [UInt8](repeating: 0, count: 32)
            scalar[30] = UInt8(number >> 8)
            scalar[31] = UInt8(truncatingIfNeeded: number)
            let factor = try guardedBytes(scalar)
            guard let point = try CurvePoint(of: factor) else { continue }
            #expect(point.bytes.count == 64)
            found = point.x[0] == 0
            guard found else { continue }
            // It is still a point: what is padded elsewhere is none.
            let isRefusedAgain = try isRefused(factor, point)
            #expect(!isRefusedAgain)
        }
        #expect(found)
    }

    @Test("NIST SP 800-108, counter mode, HMAC-SHA-256, counter of 32 bits before the fixed input")
    func counterMode() throws {
        // NIST CAVP, KDFCTR_gen, count 0: the first 128 bits.
        let key = try guardedBytes(
            try hexadecimalBytes(
                "dd1d91b7d90b2bd3138533ce92b272fbf8a369316aefe242e659cc0ae238afe0"
            ))
        let fixed = try hexadecimalBytes(
            "01322b96b30acd197979444e468e1c5c6859bf1b1cf951b7e725303e237e46b8"
                + "64a145fab25e517b08f8683d0315bb2911d80a0e8aba17f3b413faac")
        let output = publicBytes(try counterKDF(fixed, key: key))
        #expect(try output.prefix(16) == hexadecimalBytes("10621342bfb0fd40046c0e29f2cfdbf0")[...])
    }

    @Test("KDFa is that with label, zero, both contexts and 256")
    func kdfAInput() throws {
        let key = try guardedBytes([UInt8](repeating: 7, count: 64))
        let u = [UInt8](repeating: 1, count: 32)
        let v = [UInt8](repeating: 2, count: 32)
        let expected = try counterKDF(Array("CFB".utf8) + [0] + u + v + [0, 0, 1, 0], key: key)
        let made = try kdfA(key: key, label: "CFB", u, v)
        let (found, wanted) = (publicBytes(made), publicBytes(expected))
        #expect(found == wanted)
    }

    @Test("KDFe, as Python's hashlib makes it")
    func kdfEValue() throws {
        let secret = try guardedBytes((0..<32).map { UInt8($0) })
        let output = try kdfE(
            secret, label: "SECRET", [UInt8](repeating: 0xaa, count: 32),
            [UInt8](repeating: 0xbb, count: 32))
        let bytes = publicBytes(output)
        #expect(
            try bytes
                == hexadecimalBytes(
                    "08fc920f9d3033e952b0e3490a04acb53ef7324548e744107218611d224bb249"))
    }

    @Test(
        "NIST SP 800-38A F.3.13 and F.3.14: AES-128-CFB, whole blocks and a part",
        arguments: [64, 33])
    func cipherFeedback(count: Int) throws {
        let key = "2b7e151628aed2a6abf7158809cf4f3c" + "000102030405060708090a0b0c0d0e0f"
        let plain = try hexadecimalBytes(
            "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
                + "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
        ).prefix(count)
        let encrypted = try hexadecimalBytes(
            "3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b"
                + "26751f67a3cbb140b1808cf187a4f4dfc04b05357c5d1c0eeac4c66f9ff7f2e6"
        ).prefix(count)
        var bytes = try guardedBytes(Array(plain))
        try CFB.encrypts.apply(
            to: &bytes, key: try guardedBytes(try hexadecimalBytes(key)))
        let turned = publicBytes(bytes)
        #expect(turned == Array(encrypted))
        try CFB.decrypts.apply(
            to: &bytes, key: try guardedBytes(try hexadecimalBytes(key)))
        let back = publicBytes(bytes)
        #expect(back == Array(plain))
    }
}

private func isRefused(
    _ scalar: borrowing SecureBytes, _ point: CurvePoint
) throws(KeystoreError) -> Bool {
    guard try sharedSecret(scalar, point) != nil else { return true }
    return false
}

/// What is public here and a secret elsewhere.
func guardedBytes(_ bytes: [UInt8]) throws(KeystoreError) -> SecureBytes {
    try SecureBytes(copying: bytes.span)
}

/// The bytes of what is a secret elsewhere.
func publicBytes(_ secret: borrowing SecureBytes) -> [UInt8] {
    secret.read { bytes in bytes.indices.map { bytes[$0] } }
}
