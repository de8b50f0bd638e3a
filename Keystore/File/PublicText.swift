// The text rule of CONTRACT §1: names, labels, issuers, accounts and serials can be shown on a
// terminal without changing what stands around them.

/// Whether text may be taken in: `bytes` UTF-8 bytes long, without control characters, line
/// separators, bidirectional controls and noncharacters, and with something to be seen: a name of
/// spaces, or of what has no width, could be taken for another or for none.
package func isAcceptableText(_ text: String, bytes: ClosedRange<Int>) -> Bool {
    isStorableText(text, bytes: bytes)
        && (text.isEmpty || text.unicodeScalars.contains(where: isVisible))
}

/// Whether text may lie in a keystore: an earlier version took in names of spaces alone.
func isStorableText(_ text: String, bytes: ClosedRange<Int>) -> Bool {
    bytes.contains(text.utf8.count) && text.unicodeScalars.allSatisfy(isAcceptable)
}

extension String {
    /// The text as a reader sees it: without what has no width, each run of blanks one space, and
    /// none at its ends; Cyrillic and Greek letters as the Latin ones that look like them. Two texts
    /// that are the same so look alike.
    package var asSeen: String {
        var seen = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            if scalar.properties.generalCategory == .spaceSeparator || scalar.value == 0x2800 {
                if seen.last.map({ $0 != " " }) ?? false { seen.append(" ") }
            } else if isVisible(scalar) || scalar.isAccent {
                seen.append(latinTwins[scalar] ?? scalar)
            }
        }
        if seen.last == " " { seen.removeLast() }
        return String(seen)
    }
}

/// Unicode's confusables.txt, as far as letters of Cyrillic and Greek are drawn like Latin ones.
private let latinTwins = Dictionary(
    uniqueKeysWithValues: zip(
        "АВЕЅІЈКМНОРСТУХԚԜаеѕіјорсухһԁԛԝӏΑΒΕΖΗΙΚΜΝΟΡΤΥΧονι".unicodeScalars,
        "ABESIJKMHOPCTYXQWaesijopcyxhdqwlABEZHIKMNOPTYXovi".unicodeScalars))

extension Unicode.Scalar {
    fileprivate var isAccent: Bool {
        [.nonspacingMark, .enclosingMark].contains(properties.generalCategory)
            && !properties.isDefaultIgnorableCodePoint
    }
}

/// Whether a character leaves a mark: no space, nothing of zero width, no filler that is drawn as
/// a blank (Unicode's default ignorables, Hangul's fillers among them, and the blank of Braille).
private func isVisible(_ scalar: Unicode.Scalar) -> Bool {
    let properties = scalar.properties
    switch properties.generalCategory {
    case .spaceSeparator, .format, .nonspacingMark, .enclosingMark: return false
    default: return !properties.isDefaultIgnorableCodePoint && scalar.value != 0x2800
    }
}

private func isAcceptable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: false
    case 0xFDD0...0xFDEF: false
    case let value where value & 0xFFFE == 0xFFFE: false
    default:
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }
}
