// How many columns a text takes on a terminal, and cutting it to a number of columns. wcwidth(3)
// needs a locale's files; this needs none. Ranges: Unicode 16 EastAsianWidth.txt (W and F),
// condensed; combining marks and format characters by their general category.

public func columnWidth(_ text: String) -> Int {
    text.reduce(0) { $0 + columnWidth($1) }
}

/// The text, or its beginning and an ellipsis, in at most `columns` columns; never half a
/// character.
public func cut(_ text: String, toColumns columns: Int, ellipsis: String) -> String {
    guard columnWidth(text) > columns else { return text }
    let room = columns - columnWidth(ellipsis)
    guard room > 0 else { return "" }
    var kept = ""
    var used = 0
    for character in text {
        used += columnWidth(character)
        guard used <= room else { break }
        kept.append(character)
    }
    return kept + ellipsis
}

/// The widest scalar counts: a base letter with its marks, a family of joined people.
private func columnWidth(_ character: Character) -> Int {
    var width = 0
    for scalar in character.unicodeScalars { width = max(width, columnWidth(scalar)) }
    // A pictograph that is asked to be an emoji, or a flag of two letters, stands two columns wide.
    let isEmoji = character.unicodeScalars.contains { $0.value == 0xFE0F }
    let isFlag = character.unicodeScalars.allSatisfy { (0x1F1E6...0x1F1FF).contains($0.value) }
    return isEmoji || isFlag ? 2 : width
}

private func columnWidth(_ scalar: Unicode.Scalar) -> Int {
    // Most text; the tables cost a hundred times as much.
    if (0x20...0x7E).contains(scalar.value) { return 1 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format, .control: return 0
    default: return isWide(scalar.value) ? 2 : 1
    }
}

private func isWide(_ value: UInt32) -> Bool {
    switch value {
    case 0x1100...0x115F, 0x231A...0x231B, 0x2329...0x232A, 0x23E9...0x23EC, 0x23F0, 0x23F3,
        0x25FD...0x25FE, 0x2614...0x2615, 0x2648...0x2653, 0x267F, 0x2693, 0x26A1,
        0x26AA...0x26AB, 0x26BD...0x26BE, 0x26C4...0x26C5, 0x26CE, 0x26D4, 0x26EA,
        0x26F2...0x26F3, 0x26F5, 0x26FA, 0x26FD, 0x2705, 0x270A...0x270B, 0x2728, 0x274C, 0x274E,
        0x2753...0x2755, 0x2757, 0x2795...0x2797, 0x27B0, 0x27BF, 0x2B1B...0x2B1C, 0x2B50, 0x2B55,
        0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF,
        0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x18DFF,
        0x1AFF0...0x1B2FF, 0x1D300...0x1D376, 0x1F004, 0x1F0CF, 0x1F18E, 0x1F191...0x1F19A,
        0x1F200...0x1F320, 0x1F32D...0x1F335, 0x1F337...0x1F37C, 0x1F37E...0x1F393,
        0x1F3A0...0x1F3CA, 0x1F3CF...0x1F3D3, 0x1F3E0...0x1F3F0, 0x1F3F4, 0x1F3F8...0x1F43E,
        0x1F440, 0x1F442...0x1F4FC, 0x1F4FF...0x1F53D, 0x1F54B...0x1F54E, 0x1F550...0x1F567,
        0x1F57A, 0x1F595...0x1F596, 0x1F5A4, 0x1F5FB...0x1F64F, 0x1F680...0x1F6C5, 0x1F6CC,
        0x1F6D0...0x1F6D2, 0x1F6D5...0x1F6D7, 0x1F6DC...0x1F6DF, 0x1F6EB...0x1F6EC,
        0x1F6F4...0x1F6FC, 0x1F7E0...0x1F7EB, 0x1F7F0, 0x1F90C...0x1F93A, 0x1F93C...0x1F945,
        0x1F947...0x1F9FF, 0x1FA70...0x1FAFF, 0x20000...0x2FFFD, 0x30000...0x3FFFD:
        true
    default: false
    }
}
