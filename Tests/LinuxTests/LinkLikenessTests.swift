// Which arguments are taken out of the argument vector. Binds CONTRACT §1 ("Answers"), §4, §5.
import Testing

@testable import Linux

@Suite("Links in the argument vector")
struct LinkLikenessTests {
    @Test(
        "What may hold a seed is recognised",
        arguments: [
            "otpauth://totp/x?secret=ABC", "OTPAUTH://TOTP/X", "otpauth-migration://offline?data=A",
            "softtoken:activate#eyJ", "SoftToken:activate#eyJ", "https://a.example/x#softtoken=e",
            "https://nam.safelinks.example/?url=otpauth%3A%2F%2Ftotp", "--link=otpauth://totp/x",
            "<otpauth://totp/x>", "--qr=softtoken:activate#eyJ", "totp/x?secret=ABC",
            "x?Secret%3DABC",
            "mobilepassplus://autoenroll?p=1", "softtoken:prescribing#AbC&secret=ABC",
            "x softtoken:request#AAAA",
        ])
    func recognises(argument: String) {
        let isLink = looksLikeLink(Array(argument.utf8).span)
        #expect(isLink)
    }

    @Test(
        "What holds none is left to the parser",
        arguments: [
            "show", "--plain", "--pin-fd=5", "My clinic: token", "softtoken:prescribing#AbC-_9",
            "SOFTTOKEN:request#AbC", "/home/me/mail.eml", "2026-11-23", "softtoken", "", "-", "--",
        ])
    func leaves(argument: String) {
        let isLink = looksLikeLink(Array(argument.utf8).span)
        #expect(!isLink)
    }

    @Test(
        "Of an option with a value only the value is a link",
        arguments: [
            ("--link=otpauth://x?a=b", 7), ("otpauth://x?a=b", 0), ("-f=otpauth://x", 0),
        ])
    func findsStart(argument: String, expected: Int) {
        let start = linkStart(in: Array(argument.utf8).span)
        #expect(start == expected)
    }
}
