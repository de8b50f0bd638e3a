// The figures of RFC 6030 as files: what each is accepted or rejected for.
import Foundation
import Keystore
import OTP
import Testing

@testable import softtoken_issuer

@Suite("RFC 6030's figures", .enabled(if: Vectors.arePresent, "needs ../shared/vectors"))
struct FigureTests {
    private let seed = Array("12345678901234567890".utf8)

    /// The seed and parameters of a figure's key.
    private func opened(
        _ figure: Int, key: Int = 0, secret text: String? = nil
    ) throws -> (seed: [UInt8], parameters: TokenParameters, package: PSKCKeyPackage) {
        let (keys, outline) = try packages(of: Vectors.figure(figure))
        let package = keys[key]
        let keyring =
            if let text {
                try PSKCKeyring(outline.protection, unlockedWith: secret(Array(text.utf8)))
            } else { PSKCKeyring(outline.protection) }
        let seed = try package.seed(keyring)
        return (try bytes(seed), try package.parameters(keyring), package)
    }

    private func bytes(_ seed: borrowing Seed) throws -> [UInt8] {
        var text: [UInt8] = []
        seed.appendBase64(to: &text)
        return try decoded(text) ?? []
    }

    @Test("Plain HOTP keys are read with seed, digits, counter and account", arguments: [3, 9, 10])
    func plain(figure: Int) throws {
        let key = try opened(figure)
        #expect(key.seed == seed)
        #expect(key.parameters.factor == .counter(0))
        #expect(key.parameters.algorithm == .sha1)
        #expect(key.parameters.digits.value == (figure == 9 ? 6 : 8))
    }

    @Test("Figure 3's serial, issuer and user are told apart")
    func names() throws {
        let package = try opened(3).package
        #expect(package.serial == "987654321")
        #expect(package.id == "12345678")
        #expect(package.issuer == "Issuer")
        #expect(package.account == "UID=jsmith,DC=example-bank,DC=net")
    }

    @Test("Figure 2 has no response format, which RFC 6030 §10.1 asks for")
    func withoutResponse() throws {
        #expect(throws: Failure.unsupportedResponse) { try opened(2) }
    }

    @Test("Figure 4 has no secret: its key is derived from one that we don't have")
    func withoutSecret() throws {
        #expect(throws: Failure.noSecret) { try opened(4) }
    }

    @Test(
        "Figure 5's local PIN is the device's business for a verifier, and can't be a soft token's")
    func pin() throws {
        let (keys, _) = try packages(of: Vectors.figure(5))
        #expect(throws: Never.self) { try keys[0].policy.check(for: .verifying, at: 0) }
        #expect(throws: Failure.pin) { try keys[0].policy.check(for: .link, at: 0) }
        #expect(!keys[1].isToken)
        #expect(throws: Failure.unsupportedAlgorithm) {
            try keys[1].parameters(PSKCKeyring())
        }
    }

    @Test("Figure 6 opens with its pre-shared key")
    func preShared() throws {
        #expect(try opened(6, secret: "12345678901234567890123456789012").seed == seed)
    }

    @Test("Figure 6 doesn't open with another key, nor without one")
    func anotherKey() throws {
        #expect(throws: Failure.wrongKey) {
            try opened(6, secret: "12345678901234567890123456789013")
        }
        #expect(throws: Failure.malformedKey) { try opened(6, secret: "1234") }
        #expect(throws: Failure.malformedKey) { try opened(6, secret: "qwerty") }
        #expect(throws: Failure.keyNeeded) { try opened(6) }
    }

    @Test("Figure 7 opens with its password, by PBKDF2")
    func derived() throws {
        #expect(try opened(7, secret: "qwerty").seed == seed)
        #expect(throws: Failure.wrongKey) { try opened(7, secret: "qwertz") }
    }

    @Test("Figure 8's certificate is an encryption that is not supported")
    func certificate() throws {
        #expect(throws: Failure.unsupportedEncryption) { try opened(8) }
    }

    @Test("Figure 9's signature is told")
    func signature() throws {
        #expect(try packages(of: Vectors.figure(9)).outline.isSigned)
        #expect(try !packages(of: Vectors.figure(3)).outline.isSigned)
    }

    @Test("Figure 10's four keys are valid in their own months")
    func periods() throws {
        let (keys, _) = try packages(of: Vectors.figure(10))
        #expect(keys.map(\.serial) == ["654321", "123456", "9999999", "9999999"])
        let april = try #require(unixSeconds("2006-04-15T12:00:00Z"))
        let verdicts = keys.map { key in
            (try? key.policy.check(for: .verifying, at: april)) != nil
        }
        #expect(verdicts == [false, false, false, true])
        #expect(throws: Failure.notYetValid) {
            try keys[0].policy.check(for: .verifying, at: april)
        }
        #expect(throws: Failure.expired) {
            try keys[2].policy.check(for: .verifying, at: april)
        }
    }

    @Test("Every strict prefix of a file is rejected", arguments: [3, 7])
    func prefixes(figure: Int) throws {
        let text = try Vectors.figure(figure)
        // What stands behind the last tag is white space.
        let count = Array(text.utf8).lastIndex(of: UInt8(ascii: ">")) ?? 0
        for end in stride(from: 1, through: count, by: 7) {
            let cut = String(decoding: Array(text.utf8.prefix(end)), as: UTF8.self)
            #expect(throws: Failure.self) { try packages(of: cut) }
        }
    }

    @Test("A single flipped bit of figure 6's secret or MAC is not authentic")
    func flippedBits() throws {
        let text = try Vectors.figure(6)
        for value in ["AAECAwQFBgcICQoLDA0OD", "Su+NvtQfmvfJzF6bmQiJqoLRExc"] {
            let letters = Array(value)
            for index in letters.indices {
                var changed = letters
                changed[index] = letters[index] == "A" ? "B" : "A"
                let file = text.replacingOccurrences(of: value, with: String(changed))
                let (keys, outline) = try packages(of: file)
                let keyring = try PSKCKeyring(
                    outline.protection,
                    unlockedWith: secret(Array("12345678901234567890123456789012".utf8)))
                #expect(throws: Failure.wrongKey) { _ = try keys[0].seed(keyring) }
            }
        }
    }

    @Test("AES-CBC without a MAC is not used, nor with a method that is not there")
    func missingMAC() throws {
        let text = try Vectors.figure(6)
        let mac = "<ValueMAC>Su+NvtQfmvfJzF6bmQiJqoLRExc=\n          </ValueMAC>"
        #expect(text.contains(mac))
        let (keys, outline) = try packages(of: text.replacingOccurrences(of: mac, with: ""))
        let key = try secret(Array("12345678901234567890123456789012".utf8))
        let keyring = try PSKCKeyring(outline.protection, unlockedWith: key)
        #expect(throws: Failure.missingMAC) { _ = try keys[0].seed(keyring) }
    }
}
