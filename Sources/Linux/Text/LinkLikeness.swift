// Which argument looks like a link, so that it is taken out of the argument vector. Too wide costs
// nothing (the parser gets a placeholder, the command the bytes); too narrow leaves a seed in
// /proc/PID/cmdline. Bound by CONTRACT §1, §4, §5. Pure: bytes in, answer out.

/// Whether an argument has to be treated as one that may hold a seed.
package func looksLikeLink(_ argument: Span<UInt8>) -> Bool {
    guard !isPublicNotation(argument) else { return false }
    return linkMarks.contains { argument.firstRange(of: $0, in: argument.indices) != nil }
}

/// Where the link begins: behind the equals sign of `--option=link`, else at 0. What looks like one
/// before that sign already is no option's name.
func linkStart(in argument: Span<UInt8>) -> Int {
    guard argument.hasPrefix("--"), let sign = argument.firstIndex(of: "=", in: argument.indices),
        !looksLikeLink(argument.extracting(0...sign))
    else { return 0 }
    return sign + 1
}

/// In lower case. `%3a` is a colon that a mail program escaped; `secret=` is what is left when the
/// beginning was lost in copying.
private let linkMarks = [
    "otpauth:", "otpauth-migration:", "softtoken:", "softtoken=", "otpauth%3a", "softtoken%3a",
    "secret=", "secret%3d", "://",
]

/// Prescribing records and enrolment requests share the scheme and hold no secret; `device forbid`
/// takes the one as an argument.
private func isPublicNotation(_ argument: Span<UInt8>) -> Bool {
    ["softtoken:prescribing#", "softtoken:request#"].contains { mark in
        argument.hasPrefix(mark)
            && argument.indices.dropFirst(mark.utf8.count).allSatisfy {
                TextAlphabet.base64URL.holds(argument[$0])
            }
    }
}
