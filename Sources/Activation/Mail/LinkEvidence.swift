// What proves that an otpauth link goes on behind white space: a known parameter follows, and until
// there nothing that can't be the link's. Rule 1 and 2 of LinkContinuation.swift.

/// How far the next parameter is looked for: a link of many lines is proved a few lines at a time.
private let maximumByteCount = 512
private let maximumLineBreaks = 8

/// Where in the text the next known parameter begins; nil where none follows.
func evidence(
    _ text: Span<UInt8>, from start: Int, _ place: LinkPlace, _ link: Span<UInt8>
) -> Int? {
    var ahead = Ahead(text, at: start)
    switch place {
    case .fragment: return nil
    case .name(let name):
        if let end = ahead.nameEnd(text, after: name.map { link[$0] }) { return end }
        // A parameter that means nothing here: the next one may.
        var next = Ahead(text, at: start)
        return next.parameter(text, mark: "&") { _ in true }
    case .label: return ahead.parameter(text, mark: "?") { _ in true }
    case .value(.secret, _): return ahead.parameter(text, mark: "&", SeedText.isPart)
    case .value(.digits, _), .value(.period, _), .value(.counter, _), .value(.twoStepSalt, _),
        .value(.twoStepOutput, _), .value(.twoStepDifficulty, _):
        return ahead.parameter(text, mark: "&") { $0.isDigit }
    case .value(_, let value):
        ahead.mayHoldAddress = value.isEmpty || !text.hasPrefix("http", at: start)
        return ahead.parameter(text, mark: "&") { _ in true }
    }
}

/// Reads a text on as if its lines had never been broken.
private struct Ahead {
    private var position: Int
    private let start: Int
    private var lineBreaks = 0
    private var hasSpaces = false
    private var hasBlankLines = false
    private var isInFirstWord = true
    /// Whether "://" may stand in the first word: a picture's address.
    var mayHoldAddress = false

    init(_ text: Span<UInt8>, at start: Int) {
        position = start
        self.start = start
    }

    /// The next byte that is no white space; nil where the link can't go on.
    private mutating func next(_ text: Span<UInt8>) -> UInt8? {
        while position < text.count, position - start < maximumByteCount {
            if let gap = Gap(text, at: position) {
                isInFirstWord = false
                lineBreaks += gap.lineBreaks
                hasSpaces = hasSpaces || gap.lineBreaks == 0
                hasBlankLines = hasBlankLines || gap.lineBreaks > 1
                // Blank lines and sentences are what stands between two paragraphs.
                guard lineBreaks <= maximumLineBreaks, !(hasSpaces && hasBlankLines) else {
                    return nil
                }
                position = gap.end
            } else if let end = text.invisibleEnd(at: position) {
                position = end
            } else {
                let isAddress = text.hasPrefix("://", at: position)
                guard !isAddress || mayHoldAddress && isInFirstWord else { return nil }
                position += 1
                return text[position - 1]
            }
        }
        return nil
    }

    /// Where `mark` and a known name with its equals sign stand.
    mutating func parameter(
        _ text: Span<UInt8>, mark: Unicode.Scalar, _ isPart: (UInt8) -> Bool
    ) -> Int? {
        while let byte = next(text) {
            guard byte == UInt8(ascii: mark) else {
                guard isPart(byte) else { return nil }
                continue
            }
            let place = position - 1
            var behind = self
            behind.position = parameterStart(text, behind: place)
            if behind.nameEnd(text, after: []) != nil { return place }
            guard isPart(byte) else { return nil }
        }
        return nil
    }

    /// Behind the equals sign of a known name of which `beginning` was read already.
    mutating func nameEnd(_ text: Span<UInt8>, after beginning: [UInt8]) -> Int? {
        var name = beginning.map(\.lowercased)
        while let byte = next(text), name.count < 20 {
            if byte == UInt8(ascii: "=") {
                if knownNames.contains(where: { Array($0.utf8) == name }) { return position - 1 }
                // Quoted-printable's sign in the middle of the name.
                guard softLineBreakEnd(text, position - 1) != nil else { return nil }
                continue
            }
            guard byte.isLetter || byte.isDigit || byte == UInt8(ascii: "_") else { return nil }
            name.append(byte.lowercased)
        }
        return nil
    }
}
