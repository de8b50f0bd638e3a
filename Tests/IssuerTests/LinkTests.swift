// Links that are made here are opened by the other side's own code, and give the record's OTPs.
import Activation
import ArgumentParser
import Foundation
import Keystore
import KeystoreIssuer
import OTP
import Testing

@testable import softtoken_issuer

@Suite("Links and keys")
struct LinkTests {
    private func order(_ lock: TokenOrder.Lock) -> TokenOrder {
        var terms = LinkTerms()
        terms.pendingSeconds = 60
        terms.policy = TokenPolicy(attempts: 5)
        return TokenOrder(
            account: "alice", serial: "S1", parameters: parameters(), terms: terms, lock: lock)
    }

    private func otps(_ enrolment: consuming Enrolment) throws -> [UInt32] {
        let algorithm = enrolment.parameters.algorithm
        let seed = enrolment.takeSeed()
        var generator = try CodeGenerator(seed: seed, algorithm: algorithm)
        return generator.truncatedMACs(first: 0, count: 3).map { $0 % 1_000_000 }
    }

    private func verified(_ link: String) throws -> VerifiedLink {
        switch try readLink(Array(link.utf8).span) {
        case .signed(let link): return link
        case .unsigned: throw Failure(.fault, "it is signed")
        }
    }

    @Test("A link under a code opens with the code that was printed, and no other")
    func code() throws {
        let seed = Seed(try secret(Array("12345678901234567890".utf8)))
        let made = try maker().link(order(.code(nil)), seed: seed, at: 1_000_000)
        let link = try verified(made.link)
        #expect(link.account == "alice")
        #expect(link.expiresUnixSeconds == 1_003_600)
        #expect(link.terms.policy.attempts == 5)
        let code = try ActivationCode(parsing: Array(try #require(made.code).utf8).span)
        #expect(try otps(link.open(code: code)) == [755_224, 287_082, 359_152])
        let wrong = try ActivationCode(parsing: Array("00000-00000".utf8).span)
        #expect(throws: ActivationError.wrongCode) { _ = try link.open(code: wrong) }
    }

    @Test("A given code is taken, as it was typed")
    func givenCode() throws {
        let seed = Seed(try secret(Array("12345678901234567890".utf8)))
        let made = try maker().link(order(.code("abcde fghjk")), seed: seed, at: 0)
        #expect(made.code == "ABCDE-FGHJK")
        #expect(throws: ActivationError.malformedCode) {
            _ = try maker().link(order(.code("short")), seed: seed, at: 0)
        }
    }

    @Test("A link that is sealed to a device opens on that device alone, and has no code")
    func request() throws {
        let device = try RequestKey()
        let request = EnrolmentRequest(publicKey: device.publicKey)
        let seed = Seed(try secret(Array("12345678901234567890".utf8)))
        let made = try maker().link(order(.request(request)), seed: seed, at: 0)
        #expect(made.code == nil)
        let link = try verified(made.link)
        #expect(try otps(link.open(requestKey: device)) == [755_224, 287_082, 359_152])
        let another = try RequestKey()
        #expect(throws: ActivationError.sealedToAnotherDevice) {
            _ = try link.open(requestKey: another)
        }
    }

    @Test("A signing key comes back from its file")
    func keyFile() throws {
        let folder = try Folder()
        let key = try IssuerKey(name: "Klinik \"Ä\"", signingKey: SigningKey())
        let text = String(decoding: octets(try key.privateFile()), as: UTF8.self)
        let back = try IssuerKey.read(try folder.file("k", text))
        #expect(back.name == key.name)
        #expect(back.fingerprint == key.fingerprint)
        #expect(back.signingKey.sign([1, 2, 3]) == key.signingKey.sign([1, 2, 3]))
    }

    @Test("A changed or cut key file is rejected")
    func damagedKeyFile() throws {
        let folder = try Folder()
        let bytes = try octets(IssuerKey(name: "C", signingKey: SigningKey()).privateFile())
        // Behind the name, every byte is accounted for.
        for index in 10..<bytes.count {
            var changed = bytes
            changed[index] ^= 1
            try reject(changed, folder)
        }
        for count in 1..<bytes.count { try reject(Array(bytes.prefix(count)), folder) }
    }

    private func reject(_ bytes: [UInt8], _ folder: Folder) throws {
        let path = folder.path + "/k"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        do {
            _ = try IssuerKey.read(path)
            Issue.record("\(String(decoding: bytes, as: UTF8.self))")
        } catch { #expect(error.exitCode == .rejected) }
    }

    @Test(
        "Usage errors are exit code 64",
        arguments: [
            [], ["issue"], ["issue", "--key", "k"], ["frob"],
            ["issue", "--key", "k", "--account", "a", "--digits", "9"],
            ["issue", "--key", "k", "--account", "a", "--hotp", "--period", "30"],
            ["issue", "--key", "k", "--account", "a", "--request", "r", "--code", "c"],
            ["issue", "--key", "k", "--csv", "f"],
            ["issue", "--key", "k", "--csv", "f", "--out", "d", "--account", "a"],
            ["issue", "--key", "k", "--account", "a", "--attempts", "2"],
            ["issue", "--key", "k", "--account", "a", "--prescribing", "no record"],
            ["issue", "--key", "k", "--account", "a\u{202E}"],
            ["verify", "--serial", "s"],
            ["verify", "--records", "r", "--serial", "s", "--at", "-1"],
            ["bind", "--records", "r", "--serial", "s"], ["keygen", "--out", "f", "--name", ""],
        ] as [[String]])
    func usage(arguments: [String]) {
        do {
            let command = try SoftTokenIssuer.parseAsRoot(arguments)
            // Without a command there is help, which is no error.
            #expect(arguments.isEmpty && command is SoftTokenIssuer)
        } catch {
            #expect(SoftTokenIssuer.exitCode(for: error).rawValue == 64)
        }
    }
}
