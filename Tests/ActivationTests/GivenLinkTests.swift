// A link that is all that was given, as an argument or a line, and text that begins like a file of
// another kind but holds a link.
import Testing

@testable import Activation

private func read(_ text: String) throws(ActivationError) -> ActivationLink {
    try readLink(Array(text.utf8).span)
}

@Suite("Links that are given alone")
struct GivenLinkTests {
    static let otpauth = "otpauth://totp/B:a?secret=GEZDGNBVGY3TQOJQ&digits=8&issuer=B"
    static let signed: String = {
        let vector = LinkVector.all.first { $0.testDescription == "ok-code" }!
        return String(decoding: vector.link, as: UTF8.self)
    }()

    @Test(
        "A sentence's mark behind a link is no part of it",
        arguments: [".", ",", ";", ":", "!", ">", ")", ">.", ").\n"])
    func mark(mark: String) throws {
        for link in [GivenLinkTests.otpauth, GivenLinkTests.signed] {
            let whole = try read(link)
            #expect(try isSame(link + mark, whole), "\(link)\(mark)")
            #expect(try isSame("Open \(link)\(mark)\n\nBye\n", whole), "\(link)\(mark)")
        }
    }

    @Test("An issuer keeps the full stop that its label or nothing else contradicts")
    func fullStop() throws {
        for (text, issuer) in [("/a?issuer=B.", "B."), ("/B.:a?issuer=B.", "B.")] {
            let link = "otpauth://totp" + text.replacing("?", with: "?secret=GEZDGNBVGY3TQOJQ&")
            #expect(try read(link).identity.issuer == issuer)
        }
    }

    @Test("A link in text that begins with a brace is found")
    func brace() throws {
        for link in [GivenLinkTests.otpauth, GivenLinkTests.signed] {
            let whole = try read(link)
            for text in [
                #"{"link":"\#(link)","code":null,"serial":"S","jti":"J","fingerprint":"F"}"#,
                #"{\rtf1\ansi {\field{\*\fldinst HYPERLINK "\#(link)"}{\fldrslt here}}}"#,
                "{ Hello }\n\n\(link)\n",
                "{\"link\":\""
                    + link.replacing("/", with: "\\/").replacing("&", with: "\\u0026") + "\"}",
            ] {
                #expect(try isSame(text, whole), "\(text)")
            }
        }
    }

    @Test("An issuer's file is named, and another text that begins with a brace isn't called one")
    func issuerFile() {
        #expect(throws: ActivationError.foreign(.issuerFile)) {
            _ = try read(#"{"name":"Clinic","jwk":{"kty":"OKP"}}"#)
        }
        #expect(throws: ActivationError.noLink) { _ = try read("{\\rtf1 hello}") }
    }

    @Test("Entities of HTML stand for their characters, in a link alone and in a page")
    func entities() throws {
        let whole = try read(GivenLinkTests.otpauth)
        for (ampersand, equals) in [
            ("&amp;", "="), ("&#38;", "&#61;"), ("&#x26;", "&#x3d;"), ("&#X26;", "&equals;"),
        ] {
            let link = GivenLinkTests.otpauth.replacing("&", with: ampersand)
                .replacing("=", with: equals)
            #expect(try isSame(link, whole), "\(link)")
            #expect(try isSame("<p>Hi</p><a href=\"\(link)\">here</a>", whole), "\(link)")
        }
    }

    @Test(
        "A seed right behind the only equals sign, which may be quoted-printable's =3D",
        arguments: [
            // 16 letters are a seed, 14 are none: it begins with 3D.
            ("3D" + String(repeating: "A", count: 14), 10),
            // 22 letters are no seed, 20 are one: they are quoted-printable.
            ("3D" + String(repeating: "A", count: 20), 12),
            // 18 letters are one, and so are 16.
            ("3D" + String(repeating: "A", count: 16), nil),
        ] as [(String, Int?)])
    func quotedSeed(letters: String, byteCount: Int?) throws {
        let link = "otpauth://totp/a?secret=\(letters)"
        guard let byteCount else {
            #expect(throws: ActivationError.brokenLink) { _ = try read(link) }
            return
        }
        guard case .unsigned(let enrolment) = try read(link) else { throw UnexpectedLink() }
        let seed = enrolment.takeSeed()
        #expect(seed.byteCount == byteCount)
    }

    private struct UnexpectedLink: Error {}

    private func isSame(_ text: String, _ whole: borrowing ActivationLink) throws -> Bool {
        try read(text).isSame(as: whole)
    }
}
