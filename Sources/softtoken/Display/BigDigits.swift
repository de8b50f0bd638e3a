// Digits that are read from across a room: five rows high, from a font of three by five squares.
// Pure. Bound by DESIGN §8.

/// An OTP drawn large.
struct BigDigits {
    static let rowCount = 5

    /// The columns that one square of the font takes: 2 make a square on most terminals.
    private let squareColumns: Int
    private let square: String

    /// - Returns: nil where even the narrow digits don't fit.
    init?(digitCount: Int, columns: Int, glyphs: DisplayStyle.Glyphs) {
        // Three squares a digit, one between two, two more between the groups.
        let squares = digitCount * 4 + 1
        guard let size = [2, 1].first(where: { squares * $0 <= columns }) else { return nil }
        squareColumns = size
        square = String(repeating: glyphs == .ascii ? "#" : "█", count: size)
    }

    func rows(_ digits: String) -> [String] {
        (0..<BigDigits.rowCount).map { row in
            var line = ""
            for (index, digit) in digits.utf8.enumerated() {
                if index > 0 { line += blanks(index == digits.utf8.count / 2 ? 3 : 1) }
                line += drawn(BigDigits.font[Int(digit - UInt8(ascii: "0"))][row])
            }
            return line
        }
    }

    private func drawn(_ squares: [Bool]) -> String {
        squares.map { $0 ? square : blanks(1) }.joined()
    }

    private func blanks(_ count: Int) -> String {
        String(repeating: " ", count: count * squareColumns)
    }

    /// By digit and row.
    private static let font: [[[Bool]]] = [
        ["###", "# #", "# #", "# #", "###"], [" # ", "## ", " # ", " # ", "###"],
        ["###", "  #", "###", "#  ", "###"], ["###", "  #", "###", "  #", "###"],
        ["# #", "# #", "###", "  #", "  #"], ["###", "#  ", "###", "  #", "###"],
        ["###", "#  ", "###", "# #", "###"], ["###", "  #", "  #", "  #", "  #"],
        ["###", "# #", "###", "# #", "###"], ["###", "# #", "###", "  #", "###"],
    ].map { rows in rows.map { row in row.map { $0 == "#" } } }
}
