// Two and three links in one text: all are seen, or the text is rejected. Never a token with a
// parameter of another link, which nobody's OTPs would be. Exhaustive over the forms and separators
// below; the fuzz target `pairs` draws more.
import Foundation
import Testing

@testable import Activation

/// Links as they end in the wild, each for another account.
private func forms(_ account: String, _ seed: String) -> [String] {
    let label = "otpauth://totp/Clinic:\(account)?secret=\(seed)"
    let bare = "otpauth://totp/\(account)?secret=\(seed)"
    let encoded = (label + "&digits=8").addingPercentEncoding(
        withAllowedCharacters: CharacterSet(charactersIn: "-._~").union(.alphanumerics))!
    return [
        bare, label + "&issuer=Clinic", label + "&issuer=Clinic&image=https://c.example/l.png",
        label + "&digits=8&period=60", label + "&algorithm=SHA256", bare + "&issuer=",
        bare + "&image=", bare + "&issuer=Clinic", bare + "&color=%23ff0000", bare.lowercased(),
        "otpauth://totp/Example Clinic:\(account)?secret=\(seed)&issuer=Example Clinic",
        "otpauth://hotp/\(account)?secret=\(seed)&counter=0",
        label + "%3D%3D%3D%3D&issuer=Clinic#top", bare + "&dig",
        "https://a.safelinks.protection.outlook.com/?url=\(encoded)&data=05&reserved=0",
        "https://www.google.com/url?q=\(encoded)", "https://urldefense.com/v3/__\(label)__;!!A!b$",
    ]
}

private let signed = [
    GivenLinkTests.signed, GatewayTests.web, String(GivenLinkTests.signed.dropLast(20)),
]

private let separators: [(before: String, between: String, after: String)] = [
    ("", "\n", ""), ("", "\r\n", "\n"), ("", "\n\n", "\n"), ("", " ", ""), ("", ",", ""),
    ("", ", ", ""), ("", ";", ""), ("", "\t", ""), ("\"", "\" \"", "\""), ("\"", "\",\"", "\""),
    ("<", "> <", ">"), ("<", ">\n<", ">"), ("> ", "\n> ", "\n"), ("", " and ", "\n"), ("", "", ""),
    ("“", "” “", "”"), ("\"", "\n", "\n"), ("<", "\n", "\n"), ("", "\u{A0}", ""), ("", "|", ""),
    ("| ", " | ", " |"), ("(", ") (", ")"), ("[", "](", ")"), ("- ", "\n- ", "\n"), ("", "=\n", ""),
    ("<p>", "</p><p>", "</p>"), ("<p>", "<br>", "</p>"), ("<p>", "</b><b>", "</p>"),
    ("<p><a href=\"", "\">a</a> <a href=\"", "\">b</a></p>"), ("", "\u{200B}", ""),
    ("<a href='", "'>", "</a>"),
]

/// How a text reaches the reader.
private let frames: [@Sendable (String) -> String] = [
    { $0 },
    { "Dear Dr. Ann,\n\n\($0)\n\nKind regards\n" },
    { "Content-Type: text/plain; format=flowed; delsp=yes\n\n\($0)\n" },
    { "Content-Type: text/html\n\n\($0)\n" },
    {
        "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n"
            + Data($0.utf8).base64EncodedString() + "\n"
    },
]

private func isAccepted(_ text: String) -> Bool {
    do throws(ActivationError) {
        _ = try readLink(Array(text.utf8).span)
        return true
    } catch { return false }
}

@Suite("Several links in one text")
struct LinkPairsTests {
    static let first = forms("ada", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ") + signed
    static let second = forms("bob", "KUVJJOM753IHTNDSZVCNKL7GII")
    static let third = forms("cyd", "MFRGGZDFMZTWQ2LKNNWG23TPOA")

    @Test("No pair of links makes a token, whatever stands between them", arguments: first.indices)
    func pair(index: Int) {
        let one = LinkPairsTests.first[index]
        for other in LinkPairsTests.second {
            // What is signed stands behind the others too.
            let orders = signed.contains(one) ? [(one, other), (other, one)] : [(one, other)]
            for (first, last) in orders {
                for (number, separator) in separators.enumerated() {
                    let text =
                        separator.before + first + separator.between + last + separator.after
                    // As an argument, in a paste, and in one kind of file of three.
                    for frame in [frames[0], frames[1], frames[2 + number % 3]] {
                        #expect(!isAccepted(frame(text)), "\(frame(text))")
                    }
                }
            }
        }
    }

    @Test("No three links make a token", arguments: first.indices)
    func triple(index: Int) {
        let one = LinkPairsTests.first[index]
        for other in LinkPairsTests.second {
            for last in LinkPairsTests.third {
                for separator in separators.prefix(6) {
                    let parts = [one, other, last].joined(separator: separator.between)
                    let text = separator.before + parts + separator.after
                    #expect(!isAccepted(text), "\(text)")
                }
            }
        }
    }

    @Test("Two whole links are told to be several")
    func several() throws {
        for one in [0, 1, 2, 3, 4, 8, 11, 14].map({ LinkPairsTests.first[$0] }) {
            for between in ["\n", "\n\n", " ", ",", "; and "] {
                let text = one + between + LinkPairsTests.second[3]
                do throws(ActivationError) {
                    _ = try readLink(Array(text.utf8).span)
                    Issue.record("accepted")
                } catch {
                    guard case .severalLinks(let links) = error else {
                        Issue.record("\(error): \(text)")
                        continue
                    }
                    #expect(links.map(\.account) == ["ada", "bob"], "\(text)")
                }
            }
        }
    }

    @Test("An export of six links is told to be several")
    func export() {
        let links = (0..<6).map {
            forms("user\($0)", "MFRGGZDFMZTWQ2LKNNWG23TPO\("ABCDEF".dropFirst($0).first!)")[2]
        }
        let text = links.joined(separator: "\n") + "\n"
        do throws(ActivationError) {
            _ = try readLink(Array(text.utf8).span)
            Issue.record("accepted")
        } catch {
            guard case .severalLinks(let found) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(found.count == 6)
        }
    }

    @Test("A damaged signed link ends the activation, whatever stands beside it")
    func downgrade() {
        let jws = GivenLinkTests.signed.dropFirst(activateCarrier.count)
        let forms: [String] = [
            String(GivenLinkTests.signed.dropLast(20)), "softtoken:activate\(jws)",
            "softtoken:activat#\(jws)", GivenLinkTests.signed.replacing("eyJp", with: "eyJq"),
            "https://issuer.example/?softtoken=\(jws)", "https://x.y/#softtoken=\(jws.dropLast(4))",
            "softtoken://activate#\(jws)", "\(jws)", "softt\noken:activate#\(jws)",
            String(jws.dropFirst(30)), "Code: \(jws.dropFirst(60))",
            String(jws[jws.firstIndex(of: ".")!...].dropFirst()),
            "https://clinic.example/t#softtoken\(jws)",
            "softtoken:activate#", "softtoken:activate", "softtoken : activate#\(jws.prefix(24))",
        ]
        for damaged in forms {
            for text in [
                "\(damaged)\n\n\(GivenLinkTests.otpauth)\n",
                "\(GivenLinkTests.otpauth)\n\n\(damaged)\n",
            ] {
                do throws(ActivationError) {
                    _ = try readLink(Array(text.utf8).span)
                    Issue.record("accepted: \(text)")
                } catch {
                    switch error {
                    case .malformedJWS, .signatureInvalid, .malformedJSON: break
                    default: Issue.record("\(error): \(text)")
                    }
                }
            }
        }
    }

    @Test("A link in a tag that no page shows is one of two")
    func hiddenInTag() {
        let (one, other) = (LinkPairsTests.first[3], LinkPairsTests.second[3])
        for text in [
            // The first was found by the fuzzer.
            "<a href=\"[\(one)a href=\"\(other)<br>", "<a href='\(one)' title='\(other)'>a</a>",
            "<a title=\"\(other)\" href=\"\(one)\">a</a>", "<p><!-- \(other) --></p>\(one)",
            "<img src=\"\(one)\"><br>\(other)",
        ] {
            #expect(!isAccepted(text), "\(text)")
        }
    }

    @Test("A signed link that a page shows shortened is the one that it links to")
    func shortened() throws {
        let link = GivenLinkTests.signed
        for shown in [link.prefix(60) + "…", link.prefix(60) + "..."] {
            let page = "<html><a href=\"\(link)\">\(shown)</a><p>(see below)</p></html>"
            #expect(isAccepted(page), "\(page)")
        }
    }
}

@Suite("Names that come with a link")
struct ShownNameTests {
    @Test(
        "A name that holds a piece of a link is rejected",
        arguments: [
            "Clinicotpauth://totp/b?secret=A", "a secret=GEZD", "SECRET=x", "OtpAuth:x",
            "softtoken:x",
            "secret%3DGEZD", "secret%253DGEZD", "s%65cret%3d", "secret%25252525253D", "secret =x",
            "secret\u{200B}=x",
        ])
    func rejected(name: String) throws {
        #expect(holdsLink(name))
        let unreserved = CharacterSet(charactersIn: "-._~").union(.alphanumerics)
        let encoded = name.addingPercentEncoding(withAllowedCharacters: unreserved)!
        let seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        for (link, parameter) in [
            ("otpauth://totp/\(encoded)?secret=\(seed)", OTPAuthParameter.account),
            ("otpauth://totp/a?issuer=\(encoded)&secret=\(seed)", .issuer),
        ] {
            do throws(ActivationError) {
                _ = try readLink(Array(link.utf8).span)
                Issue.record("accepted")
            } catch {
                guard case .linkInName(let found) = error else {
                    Issue.record("\(error)")
                    continue
                }
                #expect(found == parameter || name.contains(":"))
            }
        }
    }

    @Test(
        "Other names are kept",
        arguments: ["Secret Service", "A=B", "100%", "token: soft", "%41%zz"])
    func kept(name: String) { #expect(!holdsLink(name)) }
}
