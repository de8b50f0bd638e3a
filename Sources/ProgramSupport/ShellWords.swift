// Commands that people are told to run: each word as a shell reads it, so that they work as they stand.
// Bound by CONTRACT §1 ("Output").

/// A command in one line.
public func shellCommand(_ words: [String]) -> String {
    words.map(quotedForShell).joined(separator: " ")
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
