// Text that fits a window: lines broken at their spaces, columns that stand under each other. Pure;
// widths are columns on a terminal (DisplayWidth.swift). Errors and hints are never broken: CONTRACT
// §1 ("Output") gives each one line.

/// The text in as many lines as it takes, broken at its spaces.
///
/// - Parameters:
///   - columns: how wide a line may be; a word that is wider stands alone on its line.
///   - hanging: how many spaces each line after the first begins with.
func wrapped(_ text: String, columns: Int, hanging: Int = 0) -> [String] {
    let margin = String(repeating: " ", count: hanging)
    var lines: [String] = []
    // Two spaces are a pause that was meant: they stay inside a line.
    for word in text.split(separator: " ", omittingEmptySubsequences: false).map(String.init) {
        guard let last = lines.last else {
            lines.append(word)
            continue
        }
        if columnWidth(last) + 1 + columnWidth(word) <= columns {
            lines[lines.count - 1] = last + " " + word
        } else if !word.isEmpty {
            lines.append(margin + word)
        }
    }
    return lines
}

/// Rows as columns that stand under each other, two spaces apart; nothing behind the last one.
func aligned(_ rows: [[String]]) -> [String] {
    let count = rows.map(\.count).max() ?? 0
    let widths = (0..<count).map { column in
        rows.map { column < $0.count ? columnWidth($0[column]) : 0 }.max() ?? 0
    }
    return rows.map { row in
        var line = ""
        for (text, width) in zip(row, widths) {
            line += text + String(repeating: " ", count: width - columnWidth(text) + 2)
        }
        while line.last == " " { line.removeLast() }
        return line
    }
}
