// What a prescriber gets: what stands in a mail and on a sheet, and what never does.
import Activation
import Keystore
import KeystoreIssuer
import OTP
import Testing

@testable import softtoken_issuer

@Suite("Letters")
struct LetterTests {
    private func letter(
        issuer: String = "Example Clinic", account: String = "ada", pending: Int = 0,
        lock: TokenOrder.Lock = .code(nil)
    ) throws -> Letter {
        var terms = LinkTerms()
        terms.pendingSeconds = pending
        let order = TokenOrder(
            account: account, serial: "S1", parameters: parameters(.time(stepSeconds: 30)),
            terms: terms, lock: lock)
        let made = try maker(issuer: issuer).link(
            order, seed: TokenOrder.drawnSeed(.sha1), at: 1_800_000_000)
        return try Letter(made.link, code: made.code, verification: made.verification)
    }

    @Test("A letter says what its link says")
    func content() throws {
        let letter = try letter(pending: 90)
        #expect(letter.ends == "2027-01-15 09:00 UTC")
        #expect(letter.sheet.contains("For 2 minutes\nafter its activation"))
        #expect(letter.sheet.contains(letter.content.fingerprint))
        #expect(!letter.mail.contains(letter.content.fingerprint))
    }

    @Test("The sheet of a sealed link has its request's verification, and the mail has not")
    func verification() throws {
        let request = EnrolmentRequest(publicKey: randomBytes(count: 32))
        let letter = try letter(lock: .request(request))
        #expect(letter.sheet.contains("\n    \(request.verification)\n"))
        #expect(letter.page.contains("\"figure\">\(request.verification)<"))
        #expect(letter.page.contains("If the verification or the key is another one"))
        #expect(!letter.mail.contains(request.verification))
    }

    @Test(
        "A link that doesn't read back is no letter",
        arguments: ["", "softtoken:activate#a.b.c"])
    func noLink(text: String) {
        #expect(throws: Failure.self) { _ = try Letter(text, code: nil, verification: nil) }
    }

    @Test("Names can't write HTML")
    func names() throws {
        let hostile = #"<script>alert("1")</script>&'"#
        let page = try letter(issuer: hostile, account: hostile).page
        #expect(!page.contains("<script") && !page.contains("alert(\"1"))
        #expect(page.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;"))
        // An accent on a mark makes one character of the two, and the mark is a mark still.
        #expect(!escapedXML("<\u{301}b>&\u{301}").unicodeScalars.contains("<"))
    }

    @Test("Lines have 72 columns and break between words alone")
    func lines() throws {
        let words = "one-time passwords of an account-that-is-rather-long@hospital.example.org"
        let text = wrapped(Array(repeating: words, count: 5).joined(separator: " "), indent: "1. ")
        let lines = text.split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= 72 && $0.last != " " })
        #expect(lines[0].hasPrefix("1. ") && lines[1].hasPrefix("   one") || lines.count > 1)
        #expect(text.split(whereSeparator: \.isWhitespace).dropFirst().count == 25)
        let long = String(repeating: "x", count: 100)
        #expect(wrapped("a \(long) b") == "a\n\(long)\nb")
    }

    @Test(
        "A length of time is seconds, or a number with its unit",
        arguments: [
            ("600", 600), ("90s", 90), ("10m", 600), ("12h", 43_200), ("7d", 604_800), ("0", 0),
            ("-5", -5), ("", nil), ("d", nil), ("7 d", nil), ("1.5h", nil), ("7w", nil),
            ("7D", nil), ("106751991167301d", nil), ("٣d", nil),
        ] as [(String, Int64?)])
    func timeLength(text: String, seconds: Int64?) {
        #expect(TimeLength(argument: text)?.seconds == seconds)
    }
}
