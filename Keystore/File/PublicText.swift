// The text rule of CONTRACT §1: names, labels, issuers, accounts and serials can be shown on a
// terminal without changing what stands around them.

/// Whether text may be shown and kept: `bytes` UTF-8 bytes long, without control characters, line
/// separators, bidirectional controls and noncharacters.
package func isAcceptableText(_ text: String, bytes: ClosedRange<Int>) -> Bool {
    guard bytes.contains(text.utf8.count) else { return false }
    return text.unicodeScalars.allSatisfy(isAcceptable)
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
