// Which argument looks like a link, so that it is taken out of the argument vector. Too wide costs
// nothing (the parser gets a placeholder, the command the bytes); too narrow leaves a seed in
// /proc/PID/cmdline. Bound by CONTRACT §1, §4, §5. Pure: bytes in, answer out.

/// Whether an argument has to be treated as one that may hold a seed.
package func looksLikeLink(_ argument: Span<UInt8>) -> Bool {
    guard !isPublicNotation(argument) else { return false }
    return linkMarks.contains { mark in find(mark, in: argument) != nil }
}

/// Where the link begins: behind the equals sign of `--option=link`, else at 0. What looks like one
/// before that sign already is no option's name.
func linkStart(in argument: Span<UInt8>) -> Int {
    guard argument.count > 2, argument[0] == dash, argument[1] == dash,
        let sign = argument.indices.first(where: { argument[$0] == UInt8(ascii: "=") }),
        !looksLikeLink(argument.extracting(0...sign))
    else { return 0 }
    return sign + 1
}

/// In lower case. `%3a` is a colon that a mail program escaped; `secret=` is what is left when the
/// beginning was lost in copying.
private let linkMarks: [[UInt8]] = [
    "otpauth:", "otpauth-migration:", "softtoken:", "softtoken=", "otpauth%3a", "softtoken%3a",
    "secret=", "secret%3d", "://",
].map { Array($0.utf8) }

/// Prescribing records and enrolment requests share the scheme and hold no secret; `device forbid`
/// takes the one as an argument.
private func isPublicNotation(_ argument: Span<UInt8>) -> Bool {
    for mark in publicMarks where stands(mark, in: argument, at: 0) {
        return (mark.count..<argument.count).allSatisfy {
            TextAlphabet.base64URL.holds(argument[$0])
        }
    }
    return false
}

private let publicMarks: [[UInt8]] = [
    Array("softtoken:prescribing#".utf8), Array("softtoken:request#".utf8),
]

/// The first position of `mark` in either case.
private func find(_ mark: [UInt8], in bytes: Span<UInt8>) -> Int? {
    bytes.indices.first { stands(mark, in: bytes, at: $0) }
}

private func stands(_ mark: [UInt8], in bytes: Span<UInt8>, at start: Int) -> Bool {
    bytes.count - start >= mark.count
        && mark.indices.allSatisfy { bytes[start + $0].lowercased == mark[$0] }
}

private let dash = UInt8(ascii: "-")
