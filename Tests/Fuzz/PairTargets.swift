// Several links in one text, and one link that is broken: built here, so that it is known without the
// reader's help what stands in the text. Whatever separates them, a token is never made of two, and
// never of a piece of one. Bound by Sources/Activation/FORMAT.md §2.
import Keystore
import OTP

@testable import Activation

/// Two or three links of different accounts, each of a form that the input chooses, with separators
/// of letters that it chooses: no token comes out.
func readPairs(_ input: [UInt8]) {
    var reader = InputReader(input)
    let count = 2 + Int(reader.byte() % 2)
    var text = separator(&reader)
    for index in 0..<count {
        text += form(reader.byte(), index) + separator(&reader)
    }
    do throws(ActivationError) {
        _ = try readLink(text.span)
        require(false, "a text with several links is no token")
    } catch {}
}

/// One link, white space in it, and prose behind it: the token of the whole link, or none.
func readBroken(_ input: [UInt8]) {
    var reader = InputReader(input)
    let link = wholeForm(reader.byte())
    let gaps = [
        "\n", " \n", "\r\n", "\n\n", " ", "\n> ", "\t", "\u{A0}", "<br>\n", "|\n|", "\r",
    ]
    var text = Array("Hi\n".utf8)
    var position = 0
    while position < link.count {
        let step = 1 + Int(reader.byte()) % 80
        // The scheme is what a link is found by.
        let end = min(max(position + step, 16), link.count)
        text += link[position..<end]
        position = end
        guard position < link.count else { break }
        text += Array(gaps[Int(reader.byte()) % gaps.count].utf8)
    }
    let followers = ["\n", "\n\nKind regards\n", " on your phone\n", "\nTHANKS\n", "", ".\n"]
    text += Array(followers[Int(reader.byte()) % followers.count].utf8)
    guard let found = try? readLink(text.span), let whole = try? readLink(link.span) else { return }
    require(found.isSame(as: whole), "a broken link is the same token or none")
}

private let seeds = [
    "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "KUVJJOM753IHTNDSZVCNKL7GII",
    "mfrggzdfmztwq2lknnwg23tpobyxe43u",
]

private func form(_ choice: UInt8, _ index: Int) -> [UInt8] {
    let seed = seeds[index]
    let label = "otpauth://totp/Clinic:u\(index)?secret=\(seed)"
    let bare = "otpauth://totp/u\(index)?secret=\(seed)"
    let forms = [
        bare, label + "&issuer=Clinic", label + "&issuer=Clinic&image=https://c.example/l.png",
        label + "&digits=8&period=60", label + "&algorithm=SHA256", bare + "&issuer=",
        bare + "&image=", bare + "&issuer=Clinic", bare + "&color=red", bare + "&dig",
        "otpauth://hotp/u\(index)?secret=\(seed)&counter=0", "<\(label)&digits=7>",
        "https://www.google.com/url?q=otpauth%3A%2F%2Ftotp%2Fu\(index)%3Fsecret%3D\(seed)&sa=D",
        "https://urldefense.com/v3/__\(label)__;!!A!b$",
    ]
    return Array(forms[Int(choice) % forms.count].utf8)
}

private func wholeForm(_ choice: UInt8) -> [UInt8] {
    let label = "otpauth://totp/Example%20Clinic:ada@x.example?secret="
    let forms = [
        label + seeds[0] + "&issuer=Example%20Clinic&digits=8",
        label + seeds[0] + "&issuer=Example%20Clinic", label + seeds[2] + "&digits=8",
        "otpauth://totp/ada?issuer=Clinic&digits=7&secret=" + seeds[0],
        "otpauth://hotp/ada?secret=" + seeds[1] + "&counter=1234567",
        "otpauth://totp/ada?secret=" + seeds[1] + "&image=https://x.example/a/b.png&period=60",
        "otpauth://totp/ada?algorithm=SHA256&secret=" + seeds[2],
    ]
    return Array(forms[Int(choice) % forms.count].utf8)
}

/// White space, marks and tags, but nothing that makes a link of its own or hides one.
private func separator(_ reader: inout InputReader) -> [UInt8] {
    let pieces = [
        "\n", "\r\n", "\n\n", " ", ",", ";", "\t", "\"", "> <", " and ", "|", ")", "(", "\n> ",
        "\n- ",
        "\u{201C}", "\u{201D}", "<br>", "<p>", "</b>", "\u{200B}", "=\n", ".", "'", "[", "](", "&",
        "?",
        "=", "\u{A0}", "a href=\"", "&amp;", "%20", ":", "Bye", "--",
    ]
    var bytes: [UInt8] = []
    for _ in 0..<(reader.byte() % 5) {
        bytes += Array(pieces[Int(reader.byte()) % pieces.count].utf8)
    }
    return bytes
}
