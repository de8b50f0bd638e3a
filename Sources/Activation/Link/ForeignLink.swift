// Links and codes of other products, and our own things put in the wrong place: each is told by
// name, so that the prescriber knows what to do. Bound by DESIGN §7.
internal import Linux

/// What was given instead of an activation link.
package enum ForeignLink: Equatable, Sendable, CaseIterable {
    case mobilePASS
    case rsa
    case duo
    case okta
    case steam
    case microsoft
    /// Symantec VIP.
    case vip
    case authy
    case entrust
    /// An address that a mail gateway rewrote so that only the gateway can read it.
    case gateway
    /// Google Authenticator's export: it clones seeds.
    case migration
    /// A file that another authenticator wrote: it clones seeds too.
    case backup
    /// `softtoken:request#`: what a device sends to the issuer.
    case enrolmentRequest
    /// `softtoken:prescribing#`: what a prescribing computer prints.
    case prescribingRecord
    /// An issuer's file, for `softtoken issuer add`.
    case issuerFile
    /// The activation code, which is asked for after the link.
    case activationCode
    /// An address without a token in it.
    case webPage

    /// What stands at the beginning of such a thing, and inside such a web address.
    private var marks: (beginnings: [String], insides: [String]) {
        switch self {
        case .mobilePASS:
            // The second is "mobilepass" in base64, as its activation strings begin.
            (["mobilepass", "bw9iawxlcgfzc"], ["autoenrollment?", "/selfenrollment/"])
        case .rsa:
            (["com.rsa.securid", "<tknbatch", "tknbatch"], ["/securid/ctf", "ctf?ctfdata="])
        case .duo: (["duo:"], [".duosecurity.com/"])
        case .okta: (["oktaverify:", "okta-verify:", "com-okta-authenticator:"], [".okta.com/"])
        case .steam: (["steam:", "otpauth://steam/"], [])
        case .microsoft: (["phonefactor:", "msauth:"], [])
        case .vip: (["vip:", "vipaccess:"], [])
        case .authy: (["authy:"], [])
        case .entrust: (["entrust:", "igmobileotp:"], [])
        case .gateway:
            ([], [".protection.sophos.com/", ".mimecast.com/", "clicktime.symantec.com/"])
        case .migration: (["otpauth-migration:"], [])
        case .enrolmentRequest: (["softtoken:request#"], [])
        case .prescribingRecord: (["softtoken:prescribing#"], [])
        case .issuerFile: (["{"], [])
        case .activationCode, .backup: ([], [])
        case .webPage: (["https://", "http://"], [])
        }
    }

    /// The product whose link begins at a position in the middle of a text. A brace begins much
    /// else there, and addresses are looked at whole.
    static func beginning(_ text: Span<UInt8>, at position: Int) -> ForeignLink? {
        allCases.first { kind in
            kind != .issuerFile && kind != .webPage
                && kind.marks.beginnings.contains { mark in
                    guard text.hasPrefix(mark, at: position) else { return false }
                    // "VIP: please read" is no link.
                    let end = position + mark.utf8.count
                    return !mark.hasSuffix(":") || end < text.count && !text[end].isWhiteSpace
                }
        }
    }

    /// The product whose link this is.
    ///
    /// - Parameter range: one word of `text`: a link without white space around it.
    static func recognise(_ text: Span<UInt8>, _ range: Range<Int>) -> ForeignLink? {
        let isWeb = webPage.marks.beginnings.contains { text.extracting(range).hasPrefix($0) }
        if isNumericCTF(text, range) { return .rsa }
        return allCases.first { kind in
            kind.marks.beginnings.contains { text.extracting(range).hasPrefix($0) }
                || isWeb
                    && kind.marks.insides.contains { text.firstRange(of: $0, in: range) != nil }
        }
    }
}

/// Whether a word is RSA's activation code: 81 digits, which some mails part by dashes.
func isNumericCTF(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
    guard (81...110).contains(range.count) else { return false }
    let digits = range.filter { text[$0].isDigit }
    return digits.count == 81
        && range.allSatisfy { text[$0].isDigit || text[$0] == UInt8(ascii: "-") }
}
