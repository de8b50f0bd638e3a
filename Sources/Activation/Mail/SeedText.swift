// A seed's text in a link that may be broken inside it: whether the next words belong to it. Rule 3
// of LinkContinuation.swift. Only letters are counted; what they spell is not looked at (STYLE 8).

/// What was read of a seed in base32.
struct SeedText {
    /// Seeds of 10, 16, 20, 32, 40 and 64 bytes: what issuers draw.
    private static let usualLetterCounts = [16, 26, 32, 52, 64, 103]

    private var letters = 0
    private var hasLowerCase = false
    private var hasUpperCase = false
    private var hasDigits = false
    private var isPadded = false
    /// Dashes or spaces stand between its groups.
    private var isGrouped = false
    private var isSeed = true

    init(_ text: Span<UInt8>, _ range: Range<Int>) {
        for index in range {
            let byte = text[index]
            hasLowerCase = hasLowerCase || byte.isLetter && byte == byte.lowercased
            hasUpperCase = hasUpperCase || byte != byte.lowercased
            if byte.isLetter {
                letters += 1
            } else if (UInt8(ascii: "2")...UInt8(ascii: "7")).contains(byte) {
                letters += 1
                hasDigits = true
            } else if byte == UInt8(ascii: "=") {
                isPadded = true
            } else if byte == UInt8(ascii: "-") || byte == 0x20 {
                isGrouped = true
            } else {
                isSeed = false
            }
        }
    }

    /// Whether a byte may stand in a seed's text, percent-encoded padding among it.
    static func isPart(_ byte: UInt8) -> Bool {
        byte.isLetter || (UInt8(ascii: "2")...UInt8(ascii: "7")).contains(byte)
            || Array("-=%".utf8).contains(byte)
    }

    /// 5 letters spell 3 bytes and a bit: no whole seed has 1, 3 or 6 letters over eight.
    private static func isWhole(_ count: Int) -> Bool { ![1, 3, 6].contains(count % 8) }
    /// CONTRACT §5: a seed has 10 bytes.
    private var isTooShort: Bool { letters < 16 }

    /// Whether the seed goes on behind a gap; no known parameter follows.
    func continuation(_ text: Span<UInt8>, behind gap: Gap) -> LinkContinuation {
        guard isSeed, !isPadded else { return .ended }
        let words = following(text, from: gap.end)
        guard let first = words.first else { return .ended }
        var sums: [Int] = []
        for word in words { sums.append((sums.last ?? letters) + word.letters) }
        let isUsual = SeedText.usualLetterCounts.contains(letters)
        let becomesUsual = sums.contains { SeedText.usualLetterCounts.contains($0) }
        guard SeedText.isWhole(letters), !isTooShort else {
            return gap.lineBreaks <= 1 && sums.contains(where: SeedText.isWhole)
                ? .joined(end: gap.end) : .unclear
        }
        guard gap.lineBreaks <= 1 else {
            // The next paragraph's first words, unless they look like a seed themselves.
            return becomesUsual && (!isUsual || first.hasDigits) ? .unclear : .ended
        }
        guard sums.contains(where: SeedText.isWhole) else { return .ended }
        if becomesUsual, !isUsual { return .joined(end: gap.end) }
        return gap.lineBreaks == 0 && !isGrouped && first.isProse ? .ended : .unclear
    }

    /// A short word in lower case: a sentence goes on behind the link.
    private var isProse: Bool { !hasUpperCase && !hasDigits && letters < 8 }

    /// The next words of the same alphabet and case, four at most.
    private func following(_ text: Span<UInt8>, from start: Int) -> [SeedText] {
        var words: [SeedText] = []
        var position = start
        while words.count < 4 {
            let range = Word(text, at: position).range
            let word = SeedText(text, range)
            guard word.isSeed, word.letters > 0 || word.isPadded, isAlike(word) else { break }
            words.append(word)
            guard range.upperBound < text.count, let gap = Gap(text, at: range.upperBound),
                gap.lineBreaks <= 1, gap.end < text.count
            else { break }
            position = gap.end
        }
        return words
    }

    private func isAlike(_ word: SeedText) -> Bool {
        guard hasUpperCase != hasLowerCase else { return true }
        return hasUpperCase ? !word.hasLowerCase : !word.hasUpperCase
    }
}
