// The one door for text that was given to `activate`: a link, or the whole mail that brought it.
// Bound by CONTRACT §4, §5 and DESIGN §7.
import Keystore

/// What a text holds.
package enum ActivationLink: ~Copyable {
    /// An otpauth link, opened.
    case unsigned(Enrolment)
    /// A signed link, whose box is not opened yet.
    case signed(VerifiedLink)

    /// What tells it from other links.
    package var summary: LinkSummary {
        switch self {
        case .unsigned(let enrolment):
            LinkSummary(issuer: enrolment.issuer, account: enrolment.account, serial: nil)
        case .signed(let link):
            LinkSummary(issuer: link.issuer, account: link.account, serial: link.serial)
        }
    }

    borrowing func isSame(as other: borrowing ActivationLink) -> Bool {
        switch self {
        case .unsigned(let enrolment):
            switch other {
            case .unsigned(let other): enrolment.isSame(as: other)
            case .signed: false
            }
        case .signed(let link):
            switch other {
            case .unsigned: false
            case .signed(let other): link == other
            }
        }
    }
}

/// Reads the activation link in a text.
///
/// - Parameters:
///   - text: a link, with or without white space and brackets around it, or a mail or page.
///   - drawing: random bytes for privacyIDEA's two-step.
/// - Throws: `ActivationError`, whose case names what is wrong.
package func readLink(
    _ text: Span<UInt8>, drawing: @escaping (Int) -> [UInt8] = randomBytes(count:)
) throws(ActivationError) -> ActivationLink {
    let range = withoutBrackets(text, text.indices)
    let isOneLine = !range.contains { [0x0A, 0x0D].contains(text[$0]) }
    let isOneWord = !range.contains { text[$0].isWhiteSpace }
    switch recognise(text, in: range) {
    // A label may hold raw spaces.
    case .otpauth where isOneLine, .signed where isOneWord, .foreign where isOneWord:
        return try readWrapped(text.extracting(range), drawing: drawing)
    case .foreign(.issuerFile): throw .foreign(.issuerFile)
    default:
        // One link that stands in a mail twice is given the same bytes, and so stays one link.
        var drawn: [Int: [UInt8]] = [:]
        var search = LinkSearch { count in
            let bytes = drawn[count] ?? drawing(count)
            drawn[count] = bytes
            return bytes
        }
        try search.searchMail(text)
        return try search.result()
    }
}
