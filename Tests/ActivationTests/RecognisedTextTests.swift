// What a text is: our links, other products' links (DESIGN §7), and nothing.
import Testing

@testable import Activation

private func recognised(_ text: String) -> RecognisedText { recognise(Array(text.utf8).span) }

@Suite("What a text is")
struct RecognisedTextTests {
    @Test("White space, brackets and quotation marks around a link don't count")
    func around() {
        let link = "otpauth://totp/x?secret=A"
        for (before, after) in [
            ("", ""), (" \r\n", "\n"), ("<", ">"), ("\" <", "> \""), ("'", "'"),
        ] {
            let start = before.utf8.count
            #expect(
                recognised(before + link + after) == .otpauth(start..<(start + link.utf8.count)))
        }
    }

    @Test("Both carriers of a signed link give its JWS")
    func carriers() {
        #expect(recognised("softtoken:activate#a.b.c") == .signed(19..<24))
        #expect(recognised("SoftToken:Activate#a.b.c") == .signed(19..<24))
        #expect(recognised("https://x.org/p?q=1#softtoken=a.b.c") == .signed(30..<35))
        #expect(recognised("http://x.org/#softtoken=a.b.c") == .foreign(.webPage))
    }

    @Test(
        "Another product's link is told by name",
        arguments: [
            ("mobilepassplus://autoenrollment?str=AAAA", .mobilePASS),
            ("mobilepass://autoenrollment?str=AAAA", .mobilePASS),
            ("https://se.safenetid.com/selfEnrollment/index.aspx?code=A", .mobilePASS),
            ("http://127.0.0.1/securid/ctf?ctfData=2000", .rsa),
            ("com.rsa.securid.iphone://ctf?ctfData=2000", .rsa),
            ("com.rsa.securid://ctf?ctfData=2000", .rsa),
            ("<TKNBatch", .rsa),
            ("duo://ABC-DEF", .duo), ("https://m-1234.duosecurity.com/activate/ABC", .duo),
            ("oktaverify://a@b.c/?t=1&f=2&s=https", .okta), ("https://x.okta.com/activate", .okta),
            ("steam://ABCDEF", .steam), ("otpauth://steam/x?secret=A", .steam),
            ("phonefactor://activate_account?code=1", .microsoft),
            ("otpauth-migration://offline?data=A", .migration),
            ("bW9iaWxlcGFzczovL2F1dG9lbnJvbGw", .mobilePASS), ("MobilePASS+", .mobilePASS),
            (String(repeating: "2", count: 81), .rsa),
            (String(repeating: "20001-", count: 16) + "2", .rsa), ("TKNBatch", .rsa),
            ("com-okta-authenticator:/p?x=1", .okta), ("vip://activate?c=1", .vip),
            ("authy://account?token=A", .authy), ("entrust://x?a=1", .entrust),
            ("https://eu-west-1.protection.sophos.com/?d=x.org&u=aHR0", .gateway),
            ("https://protect-eu.mimecast.com/s/AbCd", .gateway),
            ("softtoken:request#A", .enrolmentRequest),
            ("softtoken:prescribing#A", .prescribingRecord),
            ("7G3KQ-0ZMX1", .activationCode), ("7g3kq0zmxl", .activationCode),
            ("{\"name\":\"A\",\"jwk\":{}}", .issuerFile), ("https://example.org/a", .webPage),
        ] as [(String, ForeignLink)])
    func foreign(text: String, kind: ForeignLink) {
        #expect(recognised(text) == .foreign(kind))
    }

    @Test("An otpauth link of an issuer that is another product's stays an otpauth link")
    func product() {
        guard case .otpauth = recognised("otpauth://totp/x.okta.com/a:b?secret=A") else {
            Issue.record("taken for another product's link")
            return
        }
    }

    @Test(
        "Everything else is nothing",
        arguments: [
            "7G3KQ-0ZMX", "7G3KQ0-ZMX1", "7G3KQ--0ZMX1", "", " ", "<>", "123456", "otpauth:",
            "softtoken:",
        ])
    func nothing(text: String) { #expect(recognised(text) == .nothing) }

    @Test("Every foreign link and its way out are said in words")
    func words() {
        for kind in ForeignLink.allCases {
            let error = ActivationError.foreign(kind)
            #expect(error.explanation.hasPrefix("this "))
            #expect(error.hint?.isEmpty == false)
        }
    }
}
