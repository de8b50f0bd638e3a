// Text that fits a window: lines broken at their spaces, columns that stand under each other, or a
// block each where they don't fit. Everything that a terminal shows goes through here; off a terminal
// nothing is broken (CONTRACT §1, "Output"). Pure; widths are columns on a terminal
// (DisplayWidth.swift).
public import ArgumentParser

/// The text in as many lines as it takes, broken at its spaces but not inside a command.
///
/// - Parameters:
///   - columns: how wide a line may be; a word that is wider stands alone on its line.
///   - hanging: how many spaces each line after the first begins with.
///   - root: the program whose commands are kept whole; nil where there are none.
public func wrapped(
    _ text: String, columns: Int, hanging: Int = 0, commandsOf root: (any ParsableCommand.Type)?
) -> [String] {
    var lines: [String] = []
    // Two spaces are a pause that was meant: they stay inside a line.
    let words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    for word in commandsJoined(words, of: root, columns: columns) {
        guard let last = lines.last else {
            lines.append(word)
            continue
        }
        if columnWidth(last) + 1 + columnWidth(word) <= columns {
            lines[lines.count - 1] = last + " " + word
        } else if !word.isEmpty {
            // A long word gives up its margin before it is broken by the terminal.
            lines[lines.count - 1] = last.trimmingEnd()
            let margin = max(0, min(hanging, columns - columnWidth(word)))
            lines.append(String(repeating: " ", count: margin) + word)
        }
    }
    return lines
}

/// Rows as columns that stand under each other, two spaces apart; nothing behind the last one.
public func aligned(_ rows: [[String]]) -> [String] {
    let count = rows.map(\.count).max() ?? 0
    let widths = (0..<count).map { column in
        rows.map { column < $0.count ? columnWidth($0[column]) : 0 }.max() ?? 0
    }
    return rows.map { row in
        var line = ""
        for (text, width) in zip(row, widths) {
            line += text + String(repeating: " ", count: width - columnWidth(text) + 2)
        }
        return line.trimmingEnd()
    }
}

extension String {
    fileprivate func trimmingEnd() -> String {
        var kept = self
        while kept.last == " " { kept.removeLast() }
        return kept
    }
}

/// Rows under a heading: as columns, or where those don't fit as blocks, each a row's first text and
/// under it the others with the heading's word. `-` is nothing, and no block has a line for it.
public func table(_ rows: [[String]], heading: [String], columns: Int) -> [[String]] {
    let lines = aligned([heading] + rows)
    if lines.allSatisfy({ columnWidth($0) <= columns }) { return lines.map { [$0] } }
    return [[]] + rows.map { block($0, heading: heading, columns: columns) }
}

private func block(_ row: [String], heading: [String], columns: Int) -> [String] {
    let labels = heading.map { $0.lowercased() + ":" }
    let others = zip(labels, row).dropFirst().filter { $0.1 != "-" }
    return wrapped(row[0], columns: columns, commandsOf: nil)
        + others.flatMap { label, text in
            wrapped("  \(label) \(text)", columns: columns, hanging: 4, commandsOf: nil)
        }
}
