// Whether an otpauth link may go on behind the place where white space ended it. It has no
// signature: one that is cut short would be another token, with OTPs that are wrong. So a link that
// may go on is rejected; FORMAT.md §2 has the rule. Bound by DESIGN §7.
internal import Linux

/// Whether a link is left open.
///
/// - Parameters:
///   - link: what was read of it, without a sentence's punctuation.
///   - end: where it ended in `text`.
func isLeftOpen(_ link: Span<UInt8>, _ text: Span<UInt8>, behind end: Int) -> Bool {
    let last = LastParameter(link)
    if endsOpenly(link) { return true }
    guard let gap = Follower.gap(text, at: end) else { return false }
    let follower = Follower(text, from: gap.end)
    if follower.holdsParameter(text) { return true }
    guard !follower.word.isEmpty else { return false }
    switch last {
    // A link's label is no link yet.
    case .none: return true
    case .fragment, .other: return false
    case .secret(let value): return mayGoOn(link, value, text, follower.word)
    case .number: return follower.word.allSatisfy { text[$0].isDigit }
    // A name is shown, and is no part of the token's OTPs: the next paragraph is none of it.
    case .issuer(let value):
        switch labelsIssuer(link, value) {
        case .same: return false
        case .longer: return true
        case .other: return gap.lineBreaks < 2
        }
    }
}

/// Whether a link that was given alone ends where something is missing: behind a name, or behind
/// the equals sign of an empty value.
func endsOpenly(_ link: Span<UInt8>) -> Bool {
    guard !link.indices.contains(where: { link[$0] == UInt8(ascii: "\\") }) else { return true }
    switch LastParameter(link) {
    case .none, .fragment, .secret: return false
    case .number(let value), .issuer(let value), .other(let value): return value.isEmpty
    }
}

/// Whether nothing but a scheme and a type were read: a sentence speaks of links.
func isSchemeAlone(_ link: Span<UInt8>) -> Bool {
    ["otpauth://", "otpauth://totp", "otpauth://totp/", "otpauth://hotp", "otpauth://hotp/"]
        .contains { $0.utf8.count == link.count && link.hasPrefix($0) }
}

/// The value in which an otpauth link ends.
enum LastParameter {
    /// In its label.
    case none
    /// Behind a hash sign, which is no part of the link's meaning (RFC 3986 §3.5).
    case fragment
    case secret(Range<Int>)
    case issuer(Range<Int>)
    /// Digits.
    case number(Range<Int>)
    /// A parameter whose end means nothing, or is told by itself; empty where only a name stands.
    case other(Range<Int>)

    init(_ link: Span<UInt8>) {
        guard let query = link.firstIndex(of: "?", in: link.indices) else {
            self = .none
            return
        }
        guard link.firstIndex(of: "#", in: link.indices) == nil else {
            self = .fragment
            return
        }
        let mark = link.indices.reversed().first { link[$0] == UInt8(ascii: "&") } ?? query
        let start = link.hasPrefix("&amp;", at: mark) ? mark + 5 : mark + 1
        guard let equals = link.firstIndex(of: "=", in: start..<link.count) else {
            self = .other(link.count..<link.count)
            return
        }
        let value = (equals + 1)..<link.count
        switch OTPAuthParameter(name: link, start..<equals) {
        case .secret: self = .secret(value)
        case .issuer: self = .issuer(value)
        case .digits, .period, .counter, .twoStepSalt, .twoStepOutput, .twoStepDifficulty:
            self = .number(value)
        case .algorithm, .encoder, .account, nil: self = .other(value)
        }
    }
}

extension OTPAuthParameter {
    /// - Returns: nil for another name.
    fileprivate init?(name link: Span<UInt8>, _ range: Range<Int>) {
        let parameter = OTPAuthParameter.named.first { parameter in
            parameter.rawValue.utf8.count == range.count
                && link.hasPrefix(parameter.rawValue, at: range.lowerBound)
        }
        guard let parameter else { return nil }
        self = parameter
    }

    /// All but the label, which has no name in a query.
    fileprivate static let named = allCases.filter { $0 != .account }
}

/// What stands in a text behind a link.
private struct Follower {
    /// How far a parameter of the link is looked for.
    private static let maximumReach = 64 << 10
    /// The first word, without the marks before and behind it.
    let word: Range<Int>
    private let start: Int

    init(_ text: Span<UInt8>, from start: Int) {
        self.start = start
        // A list's or a table's marks stand before what a program wrapped.
        let first = (start..<text.count).first { index in
            let byte = text[index]
            return byte >= 0x80 || byte.isLetter || byte.isDigit
                || Array("&%=".utf8).contains(byte)
        }
        guard let first, LinkStart(text, at: first) == nil else {
            word = start..<start
            return
        }
        let end = wordEnd(text, from: first)
        // A colon stands behind a word of prose, and behind no piece of a link.
        let hasColon = text[end - 1] == UInt8(ascii: ":")
        let count = withoutPunctuation(text.extracting(first..<end))
        word = first..<(hasColon ? end : first + count)
    }

    /// The white space, or the line in a table, that ended a link.
    static func gap(_ text: Span<UInt8>, at end: Int) -> (end: Int, lineBreaks: Int)? {
        var position = end
        while position < text.count, text[position] == UInt8(ascii: "|") { position += 1 }
        if text.hasPrefix("<br", at: position) || text.hasPrefix("<wbr", at: position) {
            let tag = text.firstIndex(of: ">", in: position..<text.count) ?? position
            return (tag + 1, 1)
        }
        return Gap(text, at: position).map { ($0.end, $0.lineBreaks) }
    }

    /// Whether a parameter of a link stands in what follows, before another link begins.
    func holdsParameter(_ text: Span<UInt8>) -> Bool {
        if word.contains(where: { Array("&%=".utf8).contains(text[$0]) }) { return true }
        let reach = start..<max(start, min(start + Follower.maximumReach, text.count))
        for index in reach {
            if LinkStart(text, at: index) != nil { return false }
            guard text[index] == UInt8(ascii: "=") || text.hasPrefix("%3d", at: index) else {
                continue
            }
            if OTPAuthParameter.named.contains(where: { isName($0.rawValue, text, before: index) })
            {
                return true
            }
        }
        return false
    }

    /// Whether a parameter's name stands before an equals sign: a word of its own, or broken over
    /// lines behind the mark that parts parameters.
    private func isName(_ name: String, _ text: Span<UInt8>, before equals: Int) -> Bool {
        var position = equals
        for letter in name.utf8.reversed() {
            position = skipped(text, before: position)
            guard position > start, text[position - 1].lowercased == letter else { return false }
            position -= 1
        }
        let isWord = position == start || !isInName(text[position - 1])
        let isWhole = equals - position == name.utf8.count
        guard !(isWord && isWhole) else { return true }
        position = skipped(text, before: position)
        return position > start && Array("&?;".utf8).contains(text[position - 1])
    }

    /// Goes back over white space and what a reply or a table puts at the beginning of a line.
    private func skipped(_ text: Span<UInt8>, before position: Int) -> Int {
        var position = position
        while position > start,
            text[position - 1].isWhiteSpace || text[position - 1] >= 0x80
                || Array(">|".utf8).contains(text[position - 1])
        {
            position -= 1
        }
        return position
    }

    private func isInName(_ byte: UInt8) -> Bool {
        byte.isLetter || byte.isDigit || byte == UInt8(ascii: "_")
    }
}

/// Whether a word may be the rest of a seed: base32, in the seed's own case.
private func mayGoOn(
    _ link: Span<UInt8>, _ seed: Range<Int>, _ text: Span<UInt8>, _ word: Range<Int>
) -> Bool {
    let isBase32 = word.allSatisfy {
        text[$0].isLetter || (UInt8(ascii: "2")...UInt8(ascii: "7")).contains(text[$0])
            || text[$0] == UInt8(ascii: "-")
    }
    guard isBase32 else { return false }
    let seedCase = LetterCase(link, seed)
    let wordCase = LetterCase(text, word)
    return seedCase.hasUpper && seedCase.hasLower
        || !(seedCase.hasUpper && wordCase.hasLower || seedCase.hasLower && wordCase.hasUpper)
}

private struct LetterCase {
    var hasUpper = false
    var hasLower = false

    init(_ text: Span<UInt8>, _ range: Range<Int>) {
        var position = range.lowerBound
        while position < range.upperBound {
            let byte = text[position]
            // The letters of an escape may be in another case than the seed.
            position += byte == UInt8(ascii: "%") ? 3 : 1
            hasUpper = hasUpper || byte != byte.lowercased
            hasLower = hasLower || byte.isLetter && byte == byte.lowercased
        }
    }
}

/// What the label says of an issuer parameter's value.
enum LabelsIssuer {
    /// It names the same issuer: the value is whole.
    case same
    /// It names one that begins with the value.
    case longer
    case other
}

func labelsIssuer(_ link: Span<UInt8>, _ value: Range<Int>) -> LabelsIssuer {
    let start = "otpauth://totp/".utf8.count
    let colon = UInt8(ascii: ":")
    guard let end = link.firstIndex(of: "?", in: link.indices), start < end,
        let label = try? link.decoded(start..<end, plus: .space), label.contains(colon),
        let issuer = try? link.decoded(value, plus: .space)
    else { return .other }
    guard label.starts(with: issuer) else { return .other }
    return label.starts(with: issuer + [colon]) ? .same : .longer
}
