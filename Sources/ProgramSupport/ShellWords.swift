// Commands that people are told to run: each word as a shell reads it, so that they work as they stand.
// Bound by CONTRACT §1 ("Output").

/// A command in one line.
public func shellCommand(_ words: [String]) -> String {
    words.map(quotedForShell).joined(separator: " ")
}

/// A command to be copied, in a window: broken between its words, where a backslash joins the lines
/// again.
///
/// - Parameter columns: of the window; nil for one line.
public func shellCommand(_ words: [String], columns: Int?) -> [String] {
    let margin = 4
    var lines: [String] = []
    for word in words.map(quotedForShell) {
        // Room for a space and a backslash.
        let room = (columns ?? .max) - 3
        if let last = lines.last, columnWidth(last) + 1 + columnWidth(word) <= room {
            lines[lines.count - 1] = last + " " + word
            continue
        }
        let indent = max(0, min(lines.isEmpty ? margin : 2 * margin, room - columnWidth(word)))
        if let last = lines.last { lines[lines.count - 1] = last + " \\" }
        lines.append(String(repeating: " ", count: indent) + word)
    }
    return lines
}

/// A word as a shell reads it.
public func quotedForShell(_ word: String) -> String {
    let isPlain = word.utf8.allSatisfy { byte in
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "-_./+:,@%".utf8.contains(byte)
        }
    }
    guard !isPlain || word.isEmpty else { return word }
    let parts = word.split(separator: "'", omittingEmptySubsequences: false)
    return "'" + parts.joined(separator: "'\\''") + "'"
}
