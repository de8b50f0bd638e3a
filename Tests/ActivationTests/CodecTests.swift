// The small formats: base64url, activation code, enrolment request, issuer file, policy file.
import Keystore
import KeystoreIssuer
import Linux
import Testing

@testable import Activation

private func code(_ text: String) throws -> String {
    let code = try ActivationCode(parsing: Array(text.utf8).span)
    return code.readShown { shown in
        String(decoding: shown.indices.map { shown[$0] }, as: UTF8.self)
    }
}

private func request(_ bytes: [UInt8]) throws(ActivationError) -> EnrolmentRequest {
    try EnrolmentRequest(parsing: bytes.span)
}

private func issuerFile(_ bytes: [UInt8]) throws(ActivationError) -> IssuerFile {
    try IssuerFile(parsing: bytes.span)
}

private func policy(_ bytes: [UInt8]) throws(ActivationError) -> AdministratorPolicy {
    try AdministratorPolicy(parsing: bytes.span)
}

@Suite("Codecs")
struct CodecTests {
    @Test("base64url spells each byte string in one way")
    func base64URL() {
        for count in 0..<70 {
            let bytes = randomBytes(count: count)
            let text = TextAlphabet.base64URL.text(bytes)
            #expect(TextAlphabet.base64URL.bytes(text) == bytes)
            for end in ["=", "\n"] {
                #expect(TextAlphabet.base64URL.bytes(text + end) == nil)
            }
        }
        #expect(TextAlphabet.base64URL.text([0xFB, 0xEF, 0xFF]) == "--__")
        #expect(TextAlphabet.base64URL.text(Array("foobar".utf8)) == "Zm9vYmFy")
        for text in ["A", "AB", "AAB", "A+AA", "A/AA", "AA==", "AAAAA"] {
            #expect(TextAlphabet.base64URL.bytes(text) == nil, "\(text)")
        }
    }

    @Test("An activation code is read as people type it")
    func activationCode() throws {
        #expect(try code("7g3kq0zmx1") == "7G3KQ-0ZMX1")
        #expect(try code(" 7G3K-QoZM xL\n") == "7G3KQ-0ZMX1")
        #expect(try code("OIl0000000") == "01100-00000")
        for text in ["", "7G3KQ-0ZMX", "7G3KQ-0ZMX12", "7G3KU-0ZMX1", "7G3KQ_0ZMX1", "７G3KQ0ZMX1"] {
            #expect(throws: ActivationError.malformedCode) { try code(text) }
        }
    }

    @Test("A drawn activation code is read again")
    func drawnCode() throws {
        var shown: Set<String> = []
        for _ in 0..<50 {
            let drawn = try ActivationCode()
            let text = drawn.readShown { shown in
                String(decoding: shown.indices.map { shown[$0] }, as: UTF8.self)
            }
            #expect(try code(text) == text)
            shown.insert(text)
        }
        #expect(shown.count == 50)
    }

    @Test("An enrolment request is parsed again and names its verification")
    func enrolmentRequest() throws {
        let made = EnrolmentRequest(publicKey: Array(0..<32))
        let text = Array(made.text.utf8)
        #expect(try request(text) == made)
        #expect(try request(Array(" <\(made.text)>\n".utf8)) == made)
        // BLAKE2b-256 of 01 00 01 … 1f by Python's hashlib.
        #expect(
            made.text == "softtoken:request#AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fw-jwcQ")
        #expect(made.verification == "YPUP-A4ON-OOKT-YPWA")
        for count in text.indices {
            #expect(throws: ActivationError.malformedRequest) {
                try request(text[..<count].map(\.self))
            }
        }
        for index in text.indices.dropFirst(18) {
            for bit in 0..<8 {
                var changed = text
                changed[index] ^= 1 << UInt8(bit)
                #expect(throws: ActivationError.malformedRequest) {
                    try request(changed)
                }
            }
        }
    }

    @Test("An issuer's file is read again, and a cut or changed one isn't")
    func issuer() throws {
        let key = try SigningKey().verifyingKey
        let file = try #require(IssuerFile(name: "Clinic \"é\"", key: key))
        #expect(try issuerFile(file.bytes) == file)
        for count in 0..<(file.bytes.count - 1) {
            #expect(throws: ActivationError.self) {
                try issuerFile(file.bytes[..<count].map(\.self))
            }
        }
        #expect(IssuerFile(name: "", key: key) == nil && IssuerFile(name: "\u{7}", key: key) == nil)
        let x = TextAlphabet.base64URL.text(key.bytes)
        for (text, error) in [
            (#"{"name":"A"}"#, .rejectedIssuerFile(.key)),
            (#"{"jwk":{}}"#, .rejectedIssuerFile(.name)),
            (#"{"name":"A","jwk":[]}"#, .rejectedIssuerFile(.key)),
            (#"{"name":"","jwk":{}}"#, .rejectedIssuerFile(.name)),
            (
                #"{"name":"A","jwk":{"kty":"OKP","crv":"Ed25519","x":"AA"}}"#,
                .rejectedIssuerFile(.x)
            ),
            (
                #"{"name":"A","jwk":{"kty":"OKP","crv":"Ed25519","x":"\#(x)","d" :"AA"}}"#,
                .privateKeyFile
            ),
            (
                #"{"name":"A","jwk":{"kty":"OKP","crv":"Ed25519","x":"\#(x)","e":"AA"}}"#,
                .unknownMember(.issuerFile)
            ),
            (#"{"name":"A","jwk":{},"url":""}"#, .unknownMember(.issuerFile)),
            ("{}{}", .malformedJSON(.issuerFile, .trailingBytes)),
        ] as [(String, ActivationError)] {
            #expect(throws: error) { try issuerFile(Array(text.utf8)) }
            #expect(error.hint?.contains("link") == false)
        }
    }

    /// Points of order 1, 2, 4 and 8, in each spelling of theirs (RFC 8032 §5.1.3; libsodium's list).
    static let smallOrders = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ]

    @Test("An issuer's key under which anything verifies is rejected", arguments: smallOrders)
    func smallOrder(x: String) throws {
        let bytes = try #require(TextAlphabet.hexadecimal.bytes(x))
        let key = try #require(VerifyingKey(bytes))
        let file = try #require(IssuerFile(name: "A", key: key))
        #expect(throws: ActivationError.rejectedKey) { try issuerFile(file.bytes) }
    }

    @Test(
        "An activation code may be typed with any dash and any space",
        arguments: [
            "\u{2010}", "\u{2011}", "\u{2012}", "\u{2013}", "\u{2014}", "\u{2015}", "\u{2212}",
            "\u{A0}", "\u{2009}", "\u{202F}", "\u{3000}", "\u{200B}", " \u{2013} ",
        ])
    func dashes(separator: String) throws {
        #expect(try code("7G3KQ" + separator + "0ZMX1") == "7G3KQ-0ZMX1")
        #expect(
            try code(separator + "7G3K" + separator + "Q0ZMX1" + separator) == "7G3KQ-0ZMX1")
    }

    @Test("The administrator's policy is read, and anything else is rejected by name")
    func administrator() throws {
        let text =
            #"{"unsigned":false,"remote":true,"attempts":5,"session":60,"separation":"strict"}"#
        let whole = try policy(Array("\(text)\n".utf8))
        #expect(whole.unsigned == false && whole.remote == true)
        #expect(whole.policy == TokenPolicy(attempts: 5, sessionSeconds: 60, separation: .strict))
        let empty = try policy(Array("{}".utf8))
        #expect(empty.unsigned == nil && empty.remote == nil && empty.policy == TokenPolicy())
        for (text, error) in [
            (#"{"pin":4}"#, .unknownMember(.policyFile)),
            (#"{"unsigned":1}"#, .rejectedMember(.unsigned)),
            (#"{"remote":"no"}"#, .rejectedMember(.remote)),
            (#"{"attempts":2}"#, .rejectedMember(.attempts)),
            (#"{"session":901}"#, .rejectedMember(.session)),
            (#"{"separation":"none"}"#, .rejectedMember(.separation)),
            ("", .malformedJSON(.policyFile, .malformed)),
            ("[]", .malformedJSON(.policyFile, .malformed)),
        ] as [(String, ActivationError)] {
            #expect(throws: error) { try policy(Array(text.utf8)) }
        }
    }

    @Test("A fingerprint is read as people type it")
    func fingerprint() throws {
        let key = try #require(VerifyingKey(Array(0..<32)))
        let fingerprint = key.fingerprint()
        #expect(fingerprint == "ZMXV-CYH4-D57A-LJK6")
        let typed = fingerprint.lowercased().replacing("-", with: " ")
        #expect(VerifyingKey.normalizedFingerprint(typed) == fingerprint)
        #expect(VerifyingKey.normalizedFingerprint("AAAA-AAAA-AAAA-AAA") == nil)
        #expect(VerifyingKey.normalizedFingerprint("AAAA-AAAA-AAAA-AAA1") == nil)
    }
}
