// How far a long run is, on standard error where that is a terminal: one line, ten times a second at
// most, in ASCII, and gone before anything else is written. Bound by CONTRACT §6.
import Linux
import ProgramSupport

/// A progress bar, gone at the latest when nobody has it any more.
final class ProgressBar {
    private static let cellCount = 24

    private let isShown: Bool
    private let start = monotonicMilliseconds()
    private var last: Int64?

    init(isShown: Bool = isTerminal(2)) { self.isShown = isShown }

    deinit { clear() }

    /// Draws, if it is time to.
    ///
    /// - Parameters:
    ///   - done: from 0 to 1; nil where the end isn't known.
    ///   - links: how many were made.
    func show(_ done: Double?, links: Int) {
        let now = monotonicMilliseconds()
        guard isShown, last.map({ now - $0 > 100 }) ?? true else { return }
        last = now
        let elapsed = Double(now - start) / 1_000
        let line = ProgressBar.line(done, links: links, elapsed: elapsed)
        let shown = cut(line, toColumns: (terminalColumns(2) ?? 80) - 1, ellipsis: "...")
        output.prompt("\r" + shown + "\u{1B}[K")
    }

    /// Takes the line away.
    func clear() {
        guard isShown, last != nil else { return }
        output.prompt("\r\u{1B}[K")
        last = nil
    }

    /// The line's text, within 60 columns.
    static func line(_ done: Double?, links: Int, elapsed: Double) -> String {
        let rate = elapsed > 0 ? Int(Double(links) / elapsed) : 0
        guard let done else { return "\(links) links, \(rate)/s" }
        let part = min(max(done, 0), 1)
        let filled = Int(Double(cellCount) * part)
        let full = String(repeating: "#", count: filled)
        let bar = full + String(repeating: ".", count: cellCount - filled)
        let left = part > 0 ? Int(elapsed / part * (1 - part)) : 0
        let seconds = left % 60
        return "[\(bar)] \(Int(part * 100)) %, \(links) links, \(rate)/s, "
            + "\(left / 60):\(seconds < 10 ? "0" : "")\(seconds) left"
    }
}
