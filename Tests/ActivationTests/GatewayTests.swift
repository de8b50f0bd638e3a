// Addresses that gateways and mail programs rewrote, texts in UTF-16, and long mails.
import Foundation
import Testing

@testable import Activation

private func read(_ bytes: [UInt8]) throws(ActivationError) -> ActivationLink {
    try readLink(bytes.span)
}

private func encoded(_ text: String) -> String {
    let unreserved = CharacterSet(charactersIn: "-._~").union(.alphanumerics)
    return text.addingPercentEncoding(withAllowedCharacters: unreserved)!
}

@Suite("Rewritten links")
struct GatewayTests {
    static let otpauth = "otpauth://totp/B:a?secret=GEZDGNBVGY3TQOJQ&digits=8&issuer=B"
    static let web = GivenLinkTests.signed.replacing(
        "softtoken:activate#", with: "https://issuer.example/start#softtoken=")

    static func wrapped(_ link: String) -> [String] {
        [
            "https://www.google.com/url?q=\(encoded(link))&sa=D&source=editors",
            "https://linkprotect.cudasvc.com/url?a=\(encoded(link))&c=E,1,abc",
            "https://protect2.fireeye.com/v1/url?k=1&q=1&u=\(encoded(link))",
            "https://clicktime.symantec.com/15tStcc?u=\(encoded(link))",
            "https://secure-web.cisco.com/1AbC-dEf/\(encoded(link))",
        ]
    }

    @Test("A link in another gateway's address is read", arguments: [otpauth, web])
    func gateway(link: String) throws {
        let whole = try read(Array(link.utf8))
        for address in GatewayTests.wrapped(link) {
            let bare = try read(Array(address.utf8)).isSame(as: whole)
            let mailed = try read(Array("Hi\n\n\(address)\n\nBye\n".utf8)).isSame(as: whole)
            #expect(bare && mailed, "\(address)")
        }
    }

    @Test("A hash sign that was encoded is one")
    func hash() throws {
        for link in [GivenLinkTests.signed, GatewayTests.web] {
            let whole = try read(Array(link.utf8))
            let damaged = link.replacing("#", with: "%23")
            let bare = try read(Array(damaged.utf8)).isSame(as: whole)
            let mailed = try read(Array("Open \(damaged)\n\nBye\n".utf8)).isSame(as: whole)
            #expect(bare && mailed)
        }
    }

    @Test("What shows nothing is no part of a link", arguments: ["\u{200B}", "\u{AD}", "\u{FEFF}"])
    func invisible(mark: String) throws {
        for link in [GatewayTests.otpauth, GivenLinkTests.signed] {
            let whole = try read(Array(link.utf8))
            var text = link
            for column in [8, 30, 50] {
                text.insert(contentsOf: mark, at: text.index(text.startIndex, offsetBy: column))
            }
            // Not in the scheme, by which a link is found.
            text = String(link.prefix(20)) + text.dropFirst(20 + mark.count)
            let isSame = try read(Array("Open \(text) now".utf8)).isSame(as: whole)
            #expect(isSame)
        }
    }

    @Test(
        "A text or a part in UTF-16 is read",
        arguments: [String.Encoding.utf16LittleEndian, .utf16BigEndian])
    func utf16(encoding: String.Encoding) throws {
        let whole = try read(Array(GatewayTests.otpauth.utf8))
        let isLittle = encoding == .utf16LittleEndian
        let text = Array("Zoë 😀\r\n\r\n\(GatewayTests.otpauth)\r\n".data(using: encoding)!)
        let mark: [UInt8] = isLittle ? [0xFF, 0xFE] : [0xFE, 0xFF]
        let file = try read(mark + text).isSame(as: whole)
        let head =
            "Content-Type: text/plain; charset=utf-16\(isLittle ? "le" : "be")\n"
            + "Content-Transfer-Encoding: base64\n\n"
        let part = try read(Array((head + Data(text).base64EncodedString()).utf8)).isSame(as: whole)
        #expect(file && part)
    }

    @Test("A mail that names another product, or a hard token, is told so")
    func named() {
        for (text, error) in [
            ("Your string: bW9iaWxlcGFzczovL2E=\n", .foreign(.mobilePASS)),
            ("Install MobilePASS+ first.\n", .foreign(.mobilePASS)),
            ("Code\n\n\(String(repeating: "2", count: 81))\n", .foreign(.rsa)),
            ("<?xml version=\"1.0\"?>\n<TKNBatch><TKNHeader>", .foreign(.rsa)),
            ("Open com-okta-authenticator:/x\n", .foreign(.okta)),
            ("Your Digipass GO 6 is on its way.\n", .hardToken),
            ("VIP: please read, nothing to open\n", .noLink),
        ] as [(String, ActivationError)] {
            #expect(throws: error, "\(text)") { _ = try read(Array(text.utf8)) }
        }
    }

    @Test("A mail with an attachment of megabytes is read, in time that grows as the mail does")
    func attachment() throws {
        let line = String(repeating: "QUJD", count: 19) + "\n"
        func mail(_ lines: Int) -> [UInt8] {
            let head =
                "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\n"
            let logo = "\n--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\n"
            return Array((head + GatewayTests.otpauth + logo).utf8)
                + Array(String(repeating: line, count: lines).utf8) + Array("--b--\n".utf8)
        }
        let clock = ContinuousClock()
        let small = try clock.measure { _ = try read(mail(3_000)) }
        let large = try clock.measure { _ = try read(mail(30_000)) }
        #expect(large < small * 40 + .seconds(1))
    }
}
