// Mails and pages that hold a link (DESIGN §7), made by make_mails.py with Python's email package:
// the link that was sent comes out, or what the mail really is.
import Foundation
import Keystore
import Linux
import OTP
import Testing

@testable import Activation

/// One file of Mails.
struct Mail: CustomTestStringConvertible {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Mails")
    static let all: [Mail] = try! FileManager.default.contentsOfDirectory(
        at: folder, includingPropertiesForKeys: nil
    ).filter { $0.pathExtension == "eml" }.map { file in
        Mail(
            testDescription: file.deletingPathExtension().lastPathComponent,
            bytes: Array(try! Data(contentsOf: file)))
    }

    let testDescription: String
    let bytes: [UInt8]

    func holds(_ kind: String) -> Bool { testDescription.hasPrefix(kind + "-") }
    static func all(_ kind: String) -> [Mail] { all.filter { $0.holds(kind) } }
}

/// Steele, Lea and Flood's SplitMix64: the same damage in each run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

func readMail(_ bytes: [UInt8]) throws(ActivationError) -> ActivationLink {
    try readLink(bytes.span)
}

@Suite("Mails")
struct MailTests {
    @Test("A signed link comes out of a mail as it was sent", arguments: Mail.all("signed"))
    func signed(mail: Mail) throws {
        let sent = try #require(LinkVector.all.first { $0.testDescription == "ok-code" })
        guard case .signed(let link) = try readMail(mail.bytes) else {
            Issue.record("not a signed link")
            return
        }
        #expect(link == (try sent.verify()))
    }

    @Test("An otpauth link comes out of a mail as it was sent", arguments: Mail.all("otpauth"))
    func otpauth(mail: Mail) throws {
        guard case .unsigned(let enrolment) = try readMail(mail.bytes) else {
            Issue.record("not an otpauth link")
            return
        }
        #expect(enrolment.identity.issuer == "Example Token Authority")
        #expect(enrolment.identity.account == "dr.ann@example.org")
        #expect(enrolment.parameters == totp() && enrolment.warnings == [])
        var generator = try CodeGenerator(seed: enrolment.takeSeed(), algorithm: .sha1)
        // RFC 4226, appendix D.
        #expect(generator.truncatedMACs(first: 0, count: 1) == [1_284_755_224])
    }

    static let rejections: [(String, ActivationError)] = [
        ("open-wrapped-60", .brokenLink), ("open-wrapped-72", .brokenLink),
        ("open-wrapped-76", .brokenLink), ("open-wrapped-crlf", .brokenLink),
        ("open-wrapped-reply", .brokenLink),
        ("hard-token", .hardToken), ("hard-token-thales", .hardToken),
        ("foreign-mobilepass-page", .foreign(.mobilePASS)),
        ("foreign-mobilepass-serial", .foreign(.mobilePASS)),
        ("foreign-steam-label", .foreign(.steam)), ("foreign-mobilepass", .foreign(.mobilePASS)),
        ("foreign-rsa", .foreign(.rsa)), ("foreign-duo", .foreign(.duo)),
        ("foreign-migration", .foreign(.migration)),
        ("foreign-request", .foreign(.enrolmentRequest)), ("none-pages-only", .noLink),
        ("none-words", .noLink), ("damaged-signed", .malformedJWS),
        ("damaged-otpauth", .secretNotBase32),
        (
            "several-links",
            .severalLinks([
                LinkIdentity(
                    issuer: "Example Token Authority", account: "dr.ann@example.org",
                    serial: "ST-0001"),
                LinkIdentity(
                    issuer: "Example Token Authority", account: "dr.ann@example.org", serial: nil),
            ])
        ),
        (
            "several-links-otpauth",
            .severalLinks(
                Array(
                    repeating: LinkIdentity(
                        issuer: "Example Token Authority", account: "dr.ann@example.org",
                        serial: nil), count: 2))
        ),
    ]

    @Test("A mail without one whole link is told by name", arguments: rejections)
    func rejected(name: String, error: ActivationError) throws {
        let mail = try #require(Mail.all.first { $0.testDescription == name })
        #expect(throws: error) { _ = try readMail(mail.bytes) }
        #expect(!error.explanation.isEmpty && error.hint?.isEmpty == false)
    }

    @Test("Every mail is judged by a test")
    func complete() {
        let names = MailTests.rejections.map(\.0)
        for mail in Mail.all {
            #expect(
                mail.holds("signed") || mail.holds("otpauth")
                    || names.contains(mail.testDescription), "\(mail.testDescription)")
        }
        #expect(Mail.all.count > 80)
    }

    @Test("A mail that is cut anywhere gives no link for someone else")
    func cut() throws {
        let names = ["signed-mail-alternative", "otpauth-mail-html", "otpauth-wrapped-72-brackets"]
        for mail in Mail.all where names.contains(mail.testDescription) {
            for count in stride(from: 0, to: mail.bytes.count, by: 7) {
                guard let link = try? readMail(Array(mail.bytes[..<count])) else { continue }
                // A cut otpauth link can't be told from a whole one: it has no signature.
                #expect("Example Token Authority".hasPrefix(link.identity.issuer ?? ""))
                if mail.holds("signed") { #expect(link.identity.serial == "ST-0001") }
            }
        }
    }

    @Test("Mails with random damage never crash the reader")
    func damage() {
        var generator = SplitMix(state: 1)
        for mail in Mail.all {
            for _ in 0..<4 {
                var bytes = mail.bytes
                for _ in 0..<8 {
                    bytes[Int.random(in: bytes.indices, using: &generator)] =
                        UInt8.random(in: 0...255, using: &generator)
                }
                _ = try? readMail(bytes)
            }
        }
    }

    @Test("Pages made to be slow are read in time")
    func slow() {
        for pattern in [
            "<a ", "<a href=\"", "https://", "https://softtoken=", "otpauth://totp/", "=\n",
        ] {
            let count = 20_000 / pattern.utf8.count
            let page = Array(("<html>" + String(repeating: pattern, count: count)).utf8)
            #expect(throws: ActivationError.self) { _ = try readMail(page) }
        }
    }

    @Test(
        "A text in which links begin without end is too long, before it takes long",
        arguments: ["otpauth://", "otpauth://totp/ ", "https://urldefense.com/v3/__"])
    func endless(pattern: String) {
        let text = Array(("Hi " + String(repeating: pattern, count: 4_000)).utf8)
        let duration = ContinuousClock().measure {
            #expect(throws: ActivationError.tooLong) { _ = try readMail(text) }
        }
        // A debug build on a busy machine has room.
        #expect(duration < .seconds(60))
    }

    @Test("A run of replaced characters of URL Defense v3 is put back")
    func run() throws {
        let sent = try #require(LinkVector.all.first { $0.testDescription == "ok-code" })
        let jws = String(decoding: sent.link, as: UTF8.self).dropFirst(activateCarrier.utf8.count)
        // "?é#" was replaced: a run of three, "**B", whose characters follow in base64url.
        let replaced = TextAlphabet.base64URL.text(Array("?é#".utf8))
        let link =
            "https://urldefense.com/v3/__https:/a.example/**Bsofttoken=\(jws)__;\(replaced)!!A!b$"
        guard case .signed(let found) = try readMail(Array(link.utf8)) else {
            Issue.record("not a signed link")
            return
        }
        #expect(found == (try sent.verify()))
    }
}

@Suite("What the fuzzer found in mails")
struct FuzzedMailTests {
    @Test("A megabyte of closing brackets behind links is read in seconds, not in minutes")
    func closingBrackets() throws {
        let link = Array("otpauth://a".utf8) + [UInt8](repeating: UInt8(ascii: ")"), count: 65_400)
        let mail: [UInt8] = (0..<16).flatMap { _ in link + [UInt8(0x0A), 0x0A] }
        let duration = ContinuousClock().measure { _ = try? readMail(mail) }
        // 0.2 s in a release build and minutes before, so that a debug build on a busy machine has
        // room.
        #expect(duration < .seconds(60))
    }

    @Test(
        "A bracket at a link's end belongs to it where one was opened in it",
        arguments: [
            ("(otpauth://totp/a?secret=GEZDGNBVGY3TQOJQ&issuer=B)", "B"),
            ("otpauth://totp/a?secret=GEZDGNBVGY3TQOJQ&issuer=B(C).", "B(C)"),
            ("otpauth://totp/a?secret=GEZDGNBVGY3TQOJQ&issuer=B)),.", "B"),
        ])
    func bracket(text: String, issuer: String) throws {
        guard case .unsigned(let enrolment) = try readMail(Array("Open \(text)\n".utf8)) else {
            Issue.record("not an otpauth link")
            return
        }
        #expect(enrolment.identity.issuer == issuer)
    }
}
