// Links and codes of other products, and our own things put in the wrong place: each is told by
// name, so that the prescriber knows what to do. Bound by DESIGN §7.

/// What was given instead of an activation link.
package enum ForeignLink: Equatable, Sendable, CaseIterable {
    case mobilePASS
    case rsa
    case duo
    case okta
    case steam
    case microsoft
    /// Google Authenticator's export: it clones seeds.
    case migration
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
            (["mobilepass:", "mobilepassplus:"], ["autoenrollment?", "/selfenrollment/"])
        case .rsa: (["com.rsa.securid", "<tknbatch"], ["/securid/ctf", "ctf?ctfdata="])
        case .duo: (["duo:"], [".duosecurity.com/"])
        case .okta: (["oktaverify:", "okta-verify:"], [".okta.com/"])
        case .steam: (["steam:", "otpauth://steam/"], [])
        case .microsoft: (["phonefactor:", "msauth:"], [])
        case .migration: (["otpauth-migration:"], [])
        case .enrolmentRequest: (["softtoken:request#"], [])
        case .prescribingRecord: (["softtoken:prescribing#"], [])
        case .issuerFile: (["{"], [])
        case .activationCode: ([], [])
        case .webPage: (["https://", "http://"], [])
        }
    }

    /// The product whose link begins at a position in the middle of a text. A brace begins much
    /// else there, and addresses are looked at whole.
    static func beginning(_ text: Span<UInt8>, at position: Int) -> ForeignLink? {
        allCases.first { kind in
            kind != .issuerFile && kind != .webPage
                && kind.marks.beginnings.contains { text.hasPrefix($0, at: position) }
        }
    }

    /// The product whose link this is.
    ///
    /// - Parameter range: one word of `text`: a link without white space around it.
    static func recognise(_ text: Span<UInt8>, _ range: Range<Int>) -> ForeignLink? {
        let isWeb = webPage.marks.beginnings.contains { text.extracting(range).hasPrefix($0) }
        return allCases.first { kind in
            kind.marks.beginnings.contains { text.extracting(range).hasPrefix($0) }
                || isWeb
                    && kind.marks.insides.contains { text.firstRange(of: $0, in: range) != nil }
        }
    }
}
