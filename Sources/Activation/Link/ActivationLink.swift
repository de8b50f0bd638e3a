// The one door for text that was given to `activate`: a link, or the whole mail that brought it.
// Bound by CONTRACT §4, §5 and DESIGN §7.
import Keystore
import Linux

/// What a text holds.
package enum ActivationLink: ~Copyable {
    /// An otpauth link, opened.
    case unsigned(Enrolment)
    /// A signed link, whose box is not opened yet.
    case signed(VerifiedLink)

    /// The link that is signed; nil for an otpauth link.
    var signedLink: VerifiedLink? {
        switch self {
        case .signed(let link): link
        case .unsigned: nil
        }
    }

    package var identity: LinkIdentity {
        switch self {
        case .unsigned(let enrolment): enrolment.identity
        case .signed(let link): link.identity
        }
    }

    borrowing func isSame(as other: borrowing ActivationLink) -> Bool {
        switch self {
        case .unsigned(let enrolment):
            switch other {
            case .unsigned(let other): enrolment.isSame(as: other)
            case .signed: false
            }
        case .signed(let link): other.signedLink == link
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
    _ text: Span<UInt8>, drawing: (Int) -> [UInt8] = randomBytes(count:)
) throws(ActivationError) -> ActivationLink {
    switch try findLink(text) {
    case .unsigned(let enrolment): .unsigned(try enrolment.completed(drawing: drawing))
    case .signed(let link): .signed(link)
    }
}

private func findLink(_ text: Span<UInt8>) throws(ActivationError) -> ActivationLink {
    guard !isForeignBackup(text) else { throw .foreign(.backup) }
    let range = withoutBrackets(text, text.indices)
    let isInBrackets = range.count < text.trimmed(text.indices).count
    if isOneLink(text, range, isInBrackets: isInBrackets) {
        return try readOneLink(text.extracting(range), isInBrackets: isInBrackets)
    }
    var search = LinkSearch()
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
private func isOneLink(_ text: Span<UInt8>, _ range: Range<Int>, isInBrackets: Bool) -> Bool {
    guard !range.contains(where: { text.invisibleEnd(at: $0) != nil }) else { return false }
    let link = text.extracting(range)
    // Another link in it is found where each is looked for.
    let holdsAnother = link.indices.contains { index in
        switch index > 0 ? LinkStart(link, at: index) : nil {
        case .otpauth, .damaged: true
        case .web: endsBefore(link, index)
        // The carrier of a signed link may be a web address.
        case .signed: link.hasPrefix("otpauth")
        case nil: false
        }
    }
    guard !holdsAnother, !isGatewayAddress(link, at: 0) else { return false }
    switch recognise(text, in: range) {
    case .otpauth:
        return !link.indices.contains { [0x0A, 0x0D].contains(link[$0]) }
            && (isInBrackets || areSpacesOfNames(link))
    case .foreign(.issuerFile), .foreign(.webPage), .nothing: return false
    case .signed, .foreign: return !link.indices.contains { link.whiteSpaceEnd(at: $0) != nil }
    }
}

/// Whether the raw spaces of a link stand in its label, or in an issuer that the label names too:
/// anywhere else they may stand behind the link.
private func areSpacesOfNames(_ link: Span<UInt8>) -> Bool {
    let query = link.firstIndex(of: "?", in: link.indices) ?? link.count
    let spaces = (query..<link.count).filter { link.whiteSpaceEnd(at: $0) != nil }
    guard let first = spaces.first, let last = spaces.last else { return true }
    guard let name = link.firstRange(of: "issuer=", in: query..<first),
        [UInt8(ascii: "?"), UInt8(ascii: "&")].contains(link[name.lowerBound - 1])
    else { return false }
    let end = link.firstIndex(of: "&", in: name.upperBound..<link.count) ?? link.count
    return last < end && labelsIssuer(link, name.upperBound..<end) == .same
}

/// Reads a link; a sentence's full stop behind it is no part of it where the link is none with it,
/// or where the label knows the issuer without it.
private func readOneLink(
    _ link: Span<UInt8>, isInBrackets: Bool
) throws(ActivationError) -> ActivationLink {
    let shorter = link.extracting(0..<withoutPunctuation(link))
    do throws(ActivationError) {
        let whole = try readWrapped(link, isInBrackets: isInBrackets)
        if shorter.count < link.count, whole.hasUnlikeIssuers,
            let found = try? readWrapped(shorter, isInBrackets: isInBrackets),
            !found.hasUnlikeIssuers
        {
            return found
        }
        return whole
    } catch {
        guard shorter.count < link.count, error != .outOfMemory,
            let found = try? readWrapped(shorter, isInBrackets: isInBrackets)
        else { throw error }
        return found
    }
}

/// Reads one link, whatever a copy from a mail's source has put around it.
private func readWrapped(
    _ link: Span<UInt8>, isInBrackets: Bool
) throws(ActivationError) -> ActivationLink {
    let bare = try unwrappedWholly(try LinkText(copying: link))
    return try bare.read { (bare) throws(ActivationError) -> ActivationLink in
        let isOTPAuth = bare.hasPrefix("otpauth://")
        guard isInBrackets || !isOTPAuth || !endsOpenly(bare) else { throw .brokenLink }
        return try readBare(bare)
    }
}

/// Reads one link that nothing is wrapped around.
func readBare(_ link: Span<UInt8>) throws(ActivationError) -> ActivationLink {
    switch recognise(link) {
    case .otpauth(let range): return .unsigned(try parseOTPAuth(link.extracting(range)))
    case .signed(let range): return .signed(try VerifiedLink(verifying: link.extracting(range)))
    case .foreign(let kind): throw .foreign(kind)
    case .nothing: throw .noLink
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
