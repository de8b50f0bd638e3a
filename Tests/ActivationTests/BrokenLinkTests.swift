// Links that mail programs broke into lines: the token of the whole link, or none (rules in
// LinkContinuation.swift). A shorter seed, fewer digits or half an issuer would be another token.
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
    /// An issuer that no label names may end with any paragraph.
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
        // An issuer that no label names is cut with its line: the one thing that may be.
        let end = broken.link.count - (broken.link.hasSuffix("30&issuer=Clinic") ? 5 : 0)
        for column in 10..<end {
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
        "A link that another parameter follows is joined at any column behind its scheme",
        arguments: lineBreaks.filter { $0 != "=\n" })
    func joined(lineBreak: String) throws {
        let broken = BrokenLink(
            link: BrokenLinkTests.plain, lineBreak: lineBreak, follower: "\n\nBye\n")
        // Behind "secret=GEZDG…" up to the last parameter's value.
        for column in 55..<(broken.link.count - 1) {
            let isSame = try isRead(broken.text(brokenAt: [column]), as: broken.link)
            #expect(isSame == true, "column \(column)")
        }
    }

    @Test("A link in lines of any width is joined", arguments: 20...90)
    func wrapped(width: Int) throws {
        let columns = Array(stride(from: width, to: BrokenLinkTests.plain.count, by: width))
        for lineBreak in ["\n", " \n", "\r\n> "] {
            let broken = BrokenLink(
                link: BrokenLinkTests.plain, lineBreak: lineBreak, follower: "\n\nBye\n")
            #expect(try isRead(broken.text(brokenAt: columns), as: broken.link) == true)
        }
    }

    static let followers = [
        "\nThanks", " \nThanks,\nthe team", "\nTHANKS", " on your phone.", "\n\nABCDEFGH", ".\nBye",
        "\n\nsecond line", " \n\n-- \nBob", "\n(valid for 7 days)",
        "\n\nSee https://x.org/?a=1&period=5",
    ]

    @Test("A whole link takes nothing of what follows it", arguments: followers)
    func follower(text: String) throws {
        for link in [0, 1, 2, 4, 5, 8].map({ BrokenLinkTests.links[$0] }) {
            #expect(try isRead("Hi\n\n" + link + text + "\n", as: link) == true, "\(link)")
        }
    }

    static let start = "otpauth://totp/a?secret=\(secret)"
    static let unclear = [
        start + "\nABCDEFGH\n", start + "&issuer=\nC\n", start + "&period=3\n0\n",
        start + "&dig\n.\n", start.replacing("/a", with: "/AB:a") + "&issuer=A \nC&digits=8\n",
        "https://a.safelinks.protection.outlook.com/?url=otpauth%3A%2F%2Ftotp%2Fa%3Fsecret%3D"
            + secret + "\n\nBye\n",
    ]

    @Test("A link whose end can't be told is rejected as broken", arguments: unclear)
    func rejected(text: String) {
        #expect(throws: ActivationError.brokenLink) { _ = try read("Hi\n" + text) }
    }

    @Test(
        "An issuer that no label names ends with its line",
        arguments: ["\nThanks\n", "\nC\n", " \nRegards,\nBob\n", "\n4826\n"])
    func issuerEnds(follower: String) throws {
        let link = BrokenLinkTests.start + "&issuer=Clinic"
        #expect(try isRead("Hi\n" + link + follower, as: link) == true)
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
                let columns = Array(stride(from: 76, to: address.count, by: 76))
                let text = broken.text(brokenAt: columns)
                #expect(try isRead(text, as: BrokenLinkTests.plain) == true, "\(text)")
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
