// What was probably meant: of some names the one that a mistyped word is nearest to. Pure; it stands
// with the search for text because both programs need it and the rooms between know no commands.

/// The name that one slip of the fingers, or two in a longer one, makes of `word`.
package func nearest(to word: String, among names: [String]) -> String? {
    let distances = names.map { (name: $0, distance: editDistance(Array(word), Array($0))) }
    let best = distances.min { $0.distance < $1.distance }
    return best.flatMap { $0.distance <= max(1, $0.name.count / 3) ? $0.name : nil }
}

/// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
private func editDistance(_ left: [Character], _ right: [Character]) -> Int {
    var rows = [Array(0...right.count)]
    for i in left.indices {
        var row = [i + 1]
        for j in right.indices {
            var least = min(
                rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (left[i] == right[j] ? 0 : 1))
            if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                least = min(least, rows[i - 1][j - 1] + 1)
            }
            row.append(least)
        }
        rows.append(row)
    }
    return rows[left.count][right.count]
}
