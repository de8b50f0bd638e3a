// Links that mail programs broke into lines: the token of the whole link, or none (FORMAT.md §2). A
// shorter seed, fewer digits or half an issuer would be another token.
import Foundation
import Testing

@testable import Activation

/// One link, broken in one way, with what follows it.
struct BrokenLink: CustomTestStringConvertible {
    let link: String
    let lineBreak: String
    let follower: String

    var testDescription: String { "\(lineBreak.debugDescription), \(follower.debugDescription)" }

    func text(brokenAt columns: [Int]) -> String {
        var text = link
        for column in columns.sorted().reversed() {
            text.insert(contentsOf: lineBreak, at: text.index(text.startIndex, offsetBy: column))
        }
        if lineBreak.contains("<") {
            return "<html><body><p>Hi</p><div>" + text + "</div><p>Bye</p></body></html>"
        }
        return (lineBreak.contains(">") ? "> Hi\n>\n> " : "Hi\n\n") + text + follower
    }
}

private func read(_ text: String) throws(ActivationError) -> ActivationLink {
    try readLink(Array(text.utf8).span, drawing: { [UInt8](repeating: 7, count: $0) })
}

/// Whether a text is read as the link; nil where it is rejected.
private func isRead(_ text: String, as link: String) throws -> Bool? {
    let whole = try read(link)
    guard let found = try? read(text) else { return nil }
    return found.isSame(as: whole)
}

@Suite("Broken links")
struct BrokenLinkTests {
    static let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    static let plain =
        "otpauth://totp/Example%20Clinic:alice@x.org?secret=\(secret)&issuer=Example%20Clinic&digits=8"
    static let links = [
        plain,
        "otpauth://totp/Example%20Clinic:alice@x.org?secret=\(secret)&issuer=Example%20Clinic",
        "otpauth://totp/Example%20Clinic:alice@x.org?issuer=Example%20Clinic&digits=8&secret=\(secret)",
        "otpauth://totp/alice@x.org?secret=\(secret)&algorithm=SHA256&period=30&issuer=Clinic",
        "otpauth://totp/alice?issuer=Clinic&secret=\(secret.lowercased())&algorithm=SHA512&digits=7",
        "otpauth://hotp/Clinic:alice?secret=\(secret)&issuer=Clinic&digits=6&counter=12",
        "otpauth://totp/Clinic:al?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY%3D%3D%3D%3D%3D%3D&period=60",
        "otpauth://totp/A%20B:al?secret=ABCDEFGHIJKLMNOPABCDEFGHIJKLMNOP&digits=8&issuer=A%20B",
        "otpauth://totp/Clinic:a?image=https%3A%2F%2Fx.org%2Fa.png&secret=\(secret)&period=15",
        "otpauth://totp/Clinic:a?secret=\(secret)&image=https://x.org/a.png&issuer=Clinic&digits=8",
        "otpauth://totp/a?secret=\(secret)&2step_salt=8&2step_output=20&2step_difficulty=10000",
        "otpauth://totp/Example Clinic:alice@x.org?secret=\(secret)&issuer=Example Clinic&digits=8",
    ]
    static let lineBreaks = [
        "\n", " \n", "  \n", "\r\n", " \r\n", "\n> ", " \n> ", " \r\n> ", "\n    ", "\n\t", "\n\n",
        "\u{A0}\n", "<br>", "<br>\n", " <br>\n", "<br> \n", "</div><div>", "</div>\n<div>",
        "\u{200B}\n",
        "=\n",
    ]
    /// An issuer that no label names ends with its paragraph.
    static let cases = links.enumerated().flatMap { index, link in
        (index < 3 ? lineBreaks : ["\n", " \n", "<br>\n", "\n\n"])
            .filter { $0 != "\n\n" || !link.hasSuffix("issuer=Clinic") }
            .map { lineBreak in
                BrokenLink(
                    link: link, lineBreak: lineBreak,
                    follower: index.isMultiple(of: 2) ? "\n\nBye\n" : "\nTHANKS\n")
            }
    }

    @Test("A link broken at any column is the same token or none", arguments: cases)
    func anyColumn(broken: BrokenLink) throws {
        for column in 10..<broken.link.count {
            let isSame = try isRead(broken.text(brokenAt: [column]), as: broken.link)
            #expect(isSame != false, "\(broken.text(brokenAt: [column]))")
        }
    }

    @Test("A link broken at two columns is the same token or none", arguments: ["\n", " \n> "])
    func twoColumns(lineBreak: String) throws {
        for link in [BrokenLinkTests.plain, BrokenLinkTests.links[2]] {
            let broken = BrokenLink(link: link, lineBreak: lineBreak, follower: "\n\nBye\n")
            for first in stride(from: 10, to: link.count, by: 3) {
                for second in stride(from: first + 1, to: link.count, by: 3) {
                    let isSame = try isRead(broken.text(brokenAt: [first, second]), as: link)
                    #expect(isSame != false, "columns \(first) and \(second)")
                }
            }
        }
    }

    @Test(
        "White space ends a link, which is rejected where it may go on",
        arguments: lineBreaks.filter { !["=\n", "\u{200B}\n"].contains($0) })
    func rejectedAtAnyColumn(lineBreak: String) throws {
        let broken = BrokenLink(
            link: BrokenLinkTests.plain, lineBreak: lineBreak, follower: "\n\nBye\n")
        // Behind "otpauth://totp/" up to the last parameter's value.
        for column in 16..<(broken.link.count - 1) {
            let text = broken.text(brokenAt: [column])
            #expect(throws: ActivationError.brokenLink, "column \(column)") { _ = try read(text) }
        }
    }

    @Test("A link in brackets or quotation marks is joined, in lines of any width")
    func delimited() throws {
        for width in 20...90 {
            let columns = Array(stride(from: width, to: BrokenLinkTests.plain.count, by: width))
            for (lineBreak, before, after) in [
                ("\n", "<", ">"), ("\r\n> ", "<", ">"), ("\n    ", "\"", "\""), ("\n\n", "<", ">"),
            ] {
                let broken = BrokenLink(
                    link: BrokenLinkTests.plain, lineBreak: lineBreak, follower: "")
                let text = broken.text(brokenAt: columns)
                let link = text.dropFirst(lineBreak.contains(">") ? 9 : 4)
                let isSame = try isRead("Hi\n\n\(before)\(link)\(after)\nBye\n", as: broken.link)
                #expect(isSame == true, "\(link)")
            }
        }
    }

    @Test("A line break that may stand for a space is rejected in brackets too")
    func unclearSpace() {
        let link = BrokenLinkTests.start.replacing("/a", with: "/A C:a") + "&issuer=A\nC&digits=8"
        for text in [link, link.replacing("A C", with: "A%20C").replacing("A\n", with: "A \n")] {
            #expect(throws: ActivationError.brokenLink) { _ = try read("Hi <\(text)>\n") }
        }
    }

    @Test("A mail of flowed lines is joined where its header says that spaces are no part of them")
    func flowed() throws {
        func mail(_ parameters: String, _ mark: String, _ columns: [Int]) -> String {
            let broken = BrokenLink(
                link: BrokenLinkTests.plain, lineBreak: " \r\n" + mark,
                follower: "\r\n-- \r\nBob\r\n")
            let body = broken.text(brokenAt: columns).replacing("> Hi\n>\n> ", with: mark)
            return "Content-Type: text/plain; \(parameters)\r\n\r\n\(body)"
        }
        for (parameters, mark) in [
            ("format=flowed; delsp=yes", ""), ("format=flowed; DelSp=\"yes\"", "> "),
            ("charset=utf-8; format=flowed; delsp=yes", ">> "),
        ] {
            for column in 16..<BrokenLinkTests.plain.count {
                let text = mail(parameters, mark, [column])
                #expect(try isRead(text, as: BrokenLinkTests.plain) == true, "\(text)")
            }
        }
        for parameters in ["format=flowed", "format=flowed; delsp=no", "delsp=yes"] {
            #expect(throws: ActivationError.brokenLink) {
                _ = try read(mail(parameters, "", [60]))
            }
        }
    }

    static let followers = [
        "\nThanks", " \nThanks,\nthe team", "\nTHANKS", " on your phone.", "\n\nABCDEFGH", ".\nBye",
        "\n\nsecond line", " \n\n-- \nBob", "\n(valid for 7 days)",
        "\n\nSee https://x.org/?a=1&period=5",
    ]

    @Test("A whole link takes nothing of what follows it", arguments: followers)
    func follower(text: String) throws {
        for link in [0, 1, 4, 5, 8].map({ BrokenLinkTests.links[$0] }) {
            #expect(try isRead("Hi\n\n" + link + text + "\n", as: link) == true, "\(link)")
        }
    }

    static let start = "otpauth://totp/a?secret=\(secret)"
    static let open = [
        // What may be the rest of the seed, in its own case.
        start + "\nABCDEFGH\n", start + " ABCDEFGH", start + "\n\n4567\n", start + "\n\nTHANKS\n",
        start + "\n| GNBV |\n", start + "|\n|GNBV|\n", start + "\n  - GNBV\n",
        "otpauth://totp/a?secret=gezdgnbvgy3tqojq on your phone.\n",
        start + "=\nGNBV", start + "\u{2028}GNBV", start + "\u{A0}GNBV", start + "<br>GNBV",
        // A name or an equals sign ends the line.
        start + "&issuer=\nC\n", start + "&issuer=\n", start + "&dig\n.\n",
        start + "&image=\n\nBye",
        // A number goes on.
        start + "&period=3\n0\n", start + "&digits=6\n4826\n",
        // A parameter follows, wherever.
        start + "\n&digits=8\n", start + "&image=https://x.org/a\nb/c\n\nd.png&digits=8\n",
        start + "&issuer=Clinic\n\nperiod=60\n",
        // Found by the fuzzer: the name itself is broken.
        start + "&image=https://x.example/a.p\nng&p\ne\n> r\ni\no\nd\n=\n6\n0\n",
        // An issuer that no label names.
        start + "&issuer=Clinic\nThanks\n", start + "&issuer=Exam\nple\n",
        start + "&issuer=Example Clinic\n",
        // A label with a raw space.
        "otpauth://totp/Example Clinic:a?secret=\(secret)\n",
        "otpauth://totp/\na?secret=\(secret)\n",
        // One equals sign, which may be quoted-printable's, and escapes that nobody undid.
        "otpauth://totp/a?secret=3D\(secret)\n", start + "&issuer=C\\nBye\n",
        // A gateway's address that is cut, and one that the gateway didn't encode.
        "https://a.safelinks.protection.outlook.com/?url=otpauth%3A%2F%2Ftotp%2Fa%3Fsecret%3D"
            + secret + "\n\nBye\n",
        "https://urldefense.com/v3/__\(start)&issuer=C__;\n!!A!b$\n",
        "https://secure-web.cisco.com/1A/otpauth%3A%2F%2Ftotp%2Fa%3Fsecret%3D\(secret)\nGNBV\n",
    ]

    @Test("A link that may go on is rejected", arguments: open)
    func rejected(text: String) {
        #expect(throws: ActivationError.brokenLink) { _ = try read("Hi\n" + text) }
    }

    @Test("A link that was given alone is rejected where something is missing at its end")
    func givenOpen() {
        for end in ["&issuer=", "&dig", "&image=", "&period="] {
            #expect(throws: ActivationError.brokenLink) {
                _ = try read(BrokenLinkTests.start + end)
            }
        }
    }

    @Test("An empty value in brackets is one")
    func emptyInBrackets() throws {
        let link = BrokenLinkTests.start + "&issuer="
        #expect(try read("<\(link)>").identity.account == "a")
        #expect(try read("Hi\n<a href=\"\(link)\">x</a> Bye").identity.account == "a")
    }

    @Test(
        "Prose right under a link is none of it",
        arguments: [
            "\nBest regards", "\nbest regards", " on your phone.", "\n\nKind regards,\nBob",
        ])
    func prose(follower: String) throws {
        for link in [
            BrokenLinkTests.start, BrokenLinkTests.start + "&digits=8",
            BrokenLinkTests.start.replacing("/a", with: "/C:a") + "&issuer=C",
            BrokenLinkTests.start + "&algorithm=SHA256",
            BrokenLinkTests.start + "&image=https://x.y/z",
        ] {
            #expect(try isRead("Hi\n" + link + follower + "\n", as: link) == true)
        }
    }

    @Test("Raw spaces in the names of a link that is given alone are theirs")
    func rawSpaces() throws {
        let link = BrokenLinkTests.start.replacing("/a", with: "/A B:a") + "&issuer=A B"
        #expect(try read(link).identity.issuer == "A B")
        #expect(try read(link + "&digits=8").identity.issuer == "A B")
        for text in [link + " Bye", BrokenLinkTests.start + "&issuer=A B", link + "&digits=8 7"] {
            #expect(throws: ActivationError.brokenLink, "\(text)") { _ = try read(text) }
        }
    }

    @Test("A mail that says a broken link in plain text and whole in HTML holds the whole one")
    func brokenAndWhole() throws {
        let link = BrokenLinkTests.plain
        for column in 16..<link.count {
            let broken = BrokenLink(link: link, lineBreak: "\n", follower: "\n\nBye\n")
            let mail =
                "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\n"
                + broken.text(brokenAt: [column])
                + "\n--b\nContent-Type: text/html\n\n<a href=\"\(link)\">Activate</a>\n--b--\n"
            #expect(try isRead(mail, as: link) == true, "column \(column)")
        }
    }

    /// The link in a gateway's address, by the published forms.
    static func gateways(_ link: String) -> [String] {
        let unreserved = CharacterSet(charactersIn: "-._~").union(.alphanumerics)
        let encoded = link.addingPercentEncoding(withAllowedCharacters: unreserved)!
        let version2 = link.replacing("_", with: "%5F").replacing("-", with: "%2D")
            .replacing("%", with: "-").replacing("/", with: "_").replacing("#", with: "-23")
            .replacing("&", with: "-26").replacing("?", with: "-3F").replacing("=", with: "-3D")
        return [
            "https://nam02.safelinks.protection.outlook.com/?url=\(encoded)&data=05%7C01&reserved=0",
            "https://urldefense.proofpoint.com/v2/url?u=\(version2)&d=DwMFaQ&c=a&r=b&m=c&s=d&e=",
            "https://urldefense.com/v3/__\(link)__;!!ABC123!xyz-QRS_tuv$",
        ]
    }

    @Test("A gateway's address is the same link or none, broken at any column")
    func gateway() throws {
        for address in BrokenLinkTests.gateways(BrokenLinkTests.plain) {
            for lineBreak in ["\n", " \n", "\r\n", "\n> ", " \r\n> "] {
                let broken = BrokenLink(link: address, lineBreak: lineBreak, follower: "\n\nBye\n")
                for column in stride(from: 20, to: address.count, by: 3) {
                    let text = broken.text(brokenAt: [column])
                    #expect(try isRead(text, as: BrokenLinkTests.plain) != false, "\(text)")
                }
                let bracketed = broken.text(
                    brokenAt: Array(stride(from: 76, to: address.count, by: 76))
                )
                .replacing("https", with: "<https").replacing("\n\nBye", with: ">\n\nBye")
                #expect(try isRead(bracketed, as: BrokenLinkTests.plain) != false, "\(bracketed)")
            }
            let whole = "Hi\n" + address + "\nBye\n"
            #expect(try isRead(whole, as: BrokenLinkTests.plain) == true)
        }
    }

    @Test("A signed link in a gateway's address is joined too")
    func signedGateway() throws {
        for address in BrokenLinkTests.gateways(GatewayTests.web) {
            let isVersion2 = address.contains("/v2/")
            for width in [120, 150] {
                let broken = BrokenLink(link: address, lineBreak: "\n", follower: "\n\nBye\n")
                let columns = Array(stride(from: width, to: address.count, by: width))
                let text = broken.text(brokenAt: columns)
                // Version 2 writes the JWS in other letters.
                let expected: Bool? = isVersion2 ? nil : true
                #expect(try isRead(text, as: GatewayTests.web) == expected, "\(text)")
            }
        }
    }

    @Test("A signed link in lines of any width is joined, with blank lines between them too")
    func signed() throws {
        for width in stride(from: 30, through: 90, by: 7) {
            for lineBreak in ["\n", " \n", "\n> ", "\n\n"] {
                let broken = BrokenLink(
                    link: GivenLinkTests.signed, lineBreak: lineBreak, follower: "\n\nThanks\n")
                let columns = Array(stride(from: width, to: broken.link.count, by: width))
                let text = broken.text(brokenAt: columns)
                #expect(try isRead(text, as: broken.link) == true, "\(text)")
            }
        }
    }
}
