// Whether an otpauth link goes on behind white space: mail programs break lines, some leave a space
// where they did (RFC 3676), and a link that is cut short would be another token with an OTP that is
// wrong. The rule, in this order:
//
// 1. What follows leads to `&name=` of a known parameter, and until there holds nothing that the
//    place can't hold (a seed: base32; a number: digits): the link goes on, whatever lies between.
// 2. A name goes on where both parts are a known name, or its beginning. Half a percent sign's
//    escape goes on.
// 3. Else by what the place allows. A seed goes on in words of its own alphabet and case where it
//    has no whole number of bytes yet, is under 10 bytes, or gets one of the lengths that issuers
//    use; a whole one behind which no word makes another whole one has ended. An issuer goes on
//    where the label says that it does, and has ended else. An algorithm that is none goes on.
// 4. Where both readings are a token, neither is taken: the link is told to be broken.
import OTP

/// What becomes of a link behind a gap.
enum LinkContinuation {
    enum Separator {
        case none
        case space
    }

    /// It goes on, up to a place in the text without asking again.
    case joined(end: Int)
    /// It goes on, and what stood at the gap is known.
    case proved(Separator)
    case ended
    case unclear
}

/// Judges one gap.
///
/// - Parameters:
///   - link: what was read of the link.
///   - place: what its end stands in.
///   - gap: the white space in `text`; a word stands behind it.
func linkContinuation(
    of link: Span<UInt8>, at place: LinkPlace, _ text: Span<UInt8>, behind gap: Gap
) -> LinkContinuation {
    if let end = evidence(text, from: gap.end, place, link) { return .joined(end: end) }
    if endsInEscape(link), text[gap.end].hexadecimalValue != nil { return .joined(end: gap.end) }
    switch place {
    case .name(let name): return beginsName(link, name) ? .unclear : .ended
    case .value(let parameter?, let value):
        return valueContinuation(link, parameter, value, text, behind: gap)
    case .label, .value(nil, _), .fragment: return .ended
    }
}

private func valueContinuation(
    _ link: Span<UInt8>, _ parameter: OTPAuthParameter, _ value: Range<Int>,
    _ text: Span<UInt8>, behind gap: Gap
) -> LinkContinuation {
    let word = Word(text, at: gap.end)
    switch parameter {
    case .secret: return SeedText(link, value).continuation(text, behind: gap)
    case .digits, .period, .counter, .twoStepSalt, .twoStepOutput, .twoStepDifficulty:
        return numberContinuation(link, parameter, value, text, word, behind: gap)
    case .algorithm:
        let isWhole =
            algorithmNames.contains { $0.utf8.count == value.count }
            && algorithmNames.contains { link.hasPrefix($0, at: value.lowerBound) }
        return isWhole || gap.lineBreaks == 0 || !word.isAddress ? .ended : .joined(end: gap.end)
    case .issuer: return issuerContinuation(link, value, text, word, behind: gap)
    case .encoder:
        return gap.lineBreaks == 1 && word.isAddress && value.isEmpty ? .unclear : .ended
    case .account: return .ended
    }
}

private func numberContinuation(
    _ link: Span<UInt8>, _ parameter: OTPAuthParameter, _ value: Range<Int>,
    _ text: Span<UInt8>, _ word: Word, behind gap: Gap
) -> LinkContinuation {
    guard gap.lineBreaks > 0, !word.range.isEmpty, word.range.allSatisfy({ text[$0].isDigit }),
        value.allSatisfy({ link[$0].isDigit })
    else { return .ended }
    guard !value.isEmpty else { return .joined(end: gap.end) }
    let joined = value.map { link[$0] } + word.range.prefix(16).map { text[$0] }
    let isNumber = decimal(joined).map { parameter.mayBe($0) } ?? false
    return isNumber ? .unclear : .ended
}

extension OTPAuthParameter {
    /// Whether a number is within the limits of CONTRACT §5.
    fileprivate func mayBe(_ number: Int) -> Bool {
        switch self {
        case .digits: (6...8).contains(number)
        case .period: (1...300).contains(number)
        case .twoStepSalt: TwoStep.saltByteCounts.contains(number)
        case .twoStepDifficulty: TwoStep.difficulties.contains(number)
        default: true
        }
    }
}

/// An issuer's name has no form of its own, but a label may begin with the same.
private func issuerContinuation(
    _ link: Span<UInt8>, _ value: Range<Int>, _ text: Span<UInt8>, _ word: Word, behind gap: Gap
) -> LinkContinuation {
    let read = plainText(link, value)
    if let label = labelIssuer(link) {
        let shown = withoutPunctuation(link.extracting(value))
        if plainText(link, value.prefix(shown)) == label { return .ended }
        let next = plainText(text, word.range)
        if !next.isEmpty {
            if label.starts(with: read + next) { return .proved(.none) }
            if label.starts(with: read + [0x20] + next) { return .proved(.space) }
        }
    }
    // A name that is cut is not another token: its OTPs are right, and the prescriber sees the name
    // before anything is kept. A mail that goes on right under its link is far more common.
    return gap.lineBreaks > 0 && value.isEmpty && word.isAddress ? .unclear : .ended
}

/// The issuer that the label names.
private func labelIssuer(_ link: Span<UInt8>) -> [UInt8]? {
    let start = "otpauth://totp/".utf8.count
    guard let end = link.firstIndex(of: "?", in: link.indices), start < end else { return nil }
    let label = plainText(link, start..<end)
    return label.firstIndex(of: UInt8(ascii: ":")).map { Array(label[..<$0]) }
}

/// What a range stands for; what is malformed stands for itself.
private func plainText(_ text: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
    if let decoded = try? text.decoded(range, plus: .space) { return decoded }
    return range.map { text[$0] }
}

private func endsInEscape(_ link: Span<UInt8>) -> Bool {
    let last = link.count - 1
    return link[last] == UInt8(ascii: "%")
        || link[last].hexadecimalValue != nil && link[last - 1] == UInt8(ascii: "%")
}

/// A word of the text, without the punctuation behind it.
struct Word {
    let range: Range<Int>
    /// All of it may stand in an address.
    let isAddress: Bool

    init(_ text: Span<UInt8>, at start: Int) {
        let reach = start..<min(start + 4096, text.count)
        let end = reach.first { text.whiteSpaceEnd(at: $0) != nil } ?? reach.upperBound
        range = start..<(start + withoutPunctuation(text.extracting(start..<end)))
        isAddress =
            !range.isEmpty && range.allSatisfy { isAddressByte(text[$0]) }
            && text[start] != UInt8(ascii: "-")
    }
}

/// RFC 3986's characters.
func isAddressByte(_ byte: UInt8) -> Bool {
    byte.isLetter || byte.isDigit || Array("-._~:/?#[]@!$&'()*+,;=%".utf8).contains(byte)
}

private let algorithmNames = [
    "sha1", "sha-1", "sha256", "sha-256", "sha512", "sha-512", "hmacsha1", "hmac-sha1",
    "hmac-sha-1", "hmacsha256", "hmac-sha256", "hmac-sha-256", "hmacsha512", "hmac-sha512",
    "hmac-sha-512",
]
