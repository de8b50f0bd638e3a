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

    private func isSame(_ text: String, _ whole: borrowing ActivationLink) throws -> Bool {
        try read(text).isSame(as: whole)
    }
}
