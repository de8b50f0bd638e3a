// What a text is, told by its first letters: which parser it goes to, or whose link it is.
// Bound by CONTRACT §4, §5 and DESIGN §7.
internal import Linux

/// What text is, and where in it the link stands.
package enum RecognisedText: Equatable, Sendable {
    /// An otpauth link.
    case otpauth(Range<Int>)
    /// The JWS of a signed link, without its carrier.
    case signed(Range<Int>)
    /// Another product's link, or ours in the wrong place.
    case foreign(ForeignLink)
    case nothing
}

/// Tells what text is. White space, angle brackets and quotation marks around it don't count.
package func recognise(_ text: Span<UInt8>) -> RecognisedText {
    recognise(text, in: withoutBrackets(text, text.indices))
}

/// Tells what one word of a text is.
func recognise(_ text: Span<UInt8>, in range: Range<Int>) -> RecognisedText {
    let word = text.extracting(range)
    if word.hasPrefix(activateCarrier) {
        return .signed((range.lowerBound + activateCarrier.utf8.count)..<range.upperBound)
    }
    if word.hasPrefix("https://"), let mark = text.firstRange(of: webCarrierMark, in: range) {
        return .signed(mark.upperBound..<range.upperBound)
    }
    if let foreign = ForeignLink.recognise(text, range) { return .foreign(foreign) }
    if word.hasPrefix("otpauth://") { return .otpauth(range) }
    return looksLikeActivationCode(word) ? .foreign(.activationCode) : .nothing
}

/// CONTRACT §4's two carriers.
package let activateCarrier = "softtoken:activate#"
package let webCarrierMark = "#softtoken="
/// The longest address before a link's fragment.
package let maximumAddressByteCount = 2 << 10

/// The range without white space, `<>` and quotation marks around it.
func withoutBrackets(_ text: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
    let pairs: [(Unicode.Scalar, Unicode.Scalar)] = [("<", ">"), ("\"", "\""), ("'", "'")]
    var range = text.trimmed(range)
    while range.count >= 2,
        pairs.contains(where: {
            text[range.lowerBound] == UInt8(ascii: $0.0)
                && text[range.upperBound - 1] == UInt8(ascii: $0.1)
        })
    {
        range = text.trimmed((range.lowerBound + 1)..<(range.upperBound - 1))
    }
    return range
}
