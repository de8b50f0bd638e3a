// Dates as XML Schema's dateTime has them (RFC 6030 §5), to seconds since 1970. No time zone database:
// a date without a zone is UTC.
internal import Linux

/// The seconds since 1970 of `2006-05-31T00:00:00Z`, with a fraction and an offset if there are any.
///
/// - Returns: nil for anything else.
func unixSeconds(_ text: String) -> Int64? {
    let (date, zone) = splitZone(text)
    let halves = date.split(separator: "T", omittingEmptySubsequences: false)
    guard halves.count == 2 else { return nil }
    let days = numbers(halves[0], separator: "-", widths: [4, 2, 2])
    let clock = halves[1].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let times = numbers(clock[0], separator: ":", widths: [2, 2, 2])
    guard let days, let times, let offset = zone, times[0] < 24, times[1] < 60,
        times[2] < 61, clock.count == 1 || isDigits(clock[1]),
        let day = CivilDate.daysSince1970(year: days[0], month: days[1], day: days[2])
    else { return nil }
    return day * 86_400 + Int64(times[0] * 3600 + times[1] * 60 + times[2]) - offset
}

/// The date, and its zone's offset in seconds; nil for a zone that is none.
private func splitZone(_ text: String) -> (date: Substring, offset: Int64?) {
    if text.hasSuffix("Z") { return (text.dropLast(), 0) }
    let tail = text.suffix(6)
    guard tail.count == 6, let sign = tail.first, sign == "+" || sign == "-",
        text.count > 16
    else { return (text[...], 0) }
    let parts = numbers(tail.dropFirst(), separator: ":", widths: [2, 2])
    guard let parts, parts[0] <= 14, parts[1] < 60 else { return (text.dropLast(6), nil) }
    let seconds = Int64(parts[0] * 3600 + parts[1] * 60)
    return (text.dropLast(6), sign == "-" ? -seconds : seconds)
}

private func numbers(_ text: Substring, separator: Character, widths: [Int]) -> [Int]? {
    let parts = text.split(separator: separator, omittingEmptySubsequences: false)
    guard parts.map(\.utf8.count) == widths, parts.allSatisfy(isDigits) else { return nil }
    return parts.compactMap { Int($0) }
}

private func isDigits(_ text: Substring) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
}
