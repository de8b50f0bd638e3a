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
    if isOneLink(text, range) {
        return try readOneLink(text.extracting(range), drawing: drawing)
    }
    // One link that stands in a mail twice is given the same bytes, and so stays one link.
    var drawn: [Int: [UInt8]] = [:]
    var search = LinkSearch { count in
        let bytes = drawn[count] ?? drawing(count)
        drawn[count] = bytes
        return bytes
    }
    try search.searchMail(text)
    do throws(ActivationError) { return try search.result() } catch {
        // A brace begins much that may hold a link: what issue --json prints, RTF.
        let isIssuerFile = text.firstRange(of: "\"jwk\"", in: range) != nil
        guard error == .noLink, isIssuerFile, text.hasPrefix("{", at: range.lowerBound) else {
            throw error
        }
        throw .foreign(.issuerFile)
    }
}

/// Whether a text is one link and nothing else but a sentence's marks.
private func isOneLink(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
    guard !range.contains(where: { text.invisibleEnd(at: $0) != nil }) else { return false }
    switch recognise(text, in: range) {
    // A label may hold raw spaces.
    case .otpauth: return !range.contains { [0x0A, 0x0D].contains(text[$0]) }
    case .foreign(.issuerFile), .nothing: return false
    case .foreign where encodedHashMark(text.extracting(range)) != nil: return false
    case .signed, .foreign: return !range.contains { text[$0].isWhiteSpace }
    }
}

/// Reads a link; a sentence's full stop behind it is no part of it where the link is none with it,
/// or where the label knows the issuer without it.
private func readOneLink(
    _ link: Span<UInt8>, drawing: (Int) -> [UInt8]
) throws(ActivationError) -> ActivationLink {
    let shorter = link.extracting(0..<withoutPunctuation(link))
    do throws(ActivationError) {
        let whole = try readWrapped(link, drawing: drawing)
        if shorter.count < link.count, whole.hasUnlikeIssuers,
            let found = try? readWrapped(shorter, drawing: drawing), !found.hasUnlikeIssuers
        {
            return found
        }
        return whole
    } catch {
        guard shorter.count < link.count, !error.isOfMemory,
            let found = try? readWrapped(shorter, drawing: drawing)
        else { throw error }
        return found
    }
}

extension ActivationLink {
    /// Whether the label names another issuer than the parameter does.
    fileprivate var hasUnlikeIssuers: Bool {
        switch self {
        case .unsigned(let enrolment): enrolment.warnings.contains(.issuerDiffers)
        case .signed: false
        }
    }
}

extension ActivationError {
    fileprivate var isOfMemory: Bool {
        switch self {
        case .outOfMemory: true
        default: false
        }
    }
}
