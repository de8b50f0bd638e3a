// Dates as XML Schema's dateTime has them (RFC 6030 §5), to and from seconds since 1970, in the
// proleptic Gregorian calendar. No time zone database: a date without a zone is UTC.

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
    guard let days, let times, let offset = zone,
        (1...12).contains(days[1]), (1...31).contains(days[2]), times[0] < 24, times[1] < 60,
        times[2] < 61, clock.count == 1 || isDigits(clock[1])
    else { return nil }
    let day = dayNumber(year: days[0], month: days[1], day: days[2])
    // The calendar has this day: 30 February would come back as 2 March.
    guard calendarDay(day) == (days[0], days[1], days[2]) else { return nil }
    return day * 86_400 + times[0] * 3600 + times[1] * 60 + times[2] - offset
}

/// `2026-05-31T00:00:00Z`.
func dateText(_ unixSeconds: Int64) -> String {
    let day = unixSeconds >= 0 ? unixSeconds / 86_400 : (unixSeconds - 86_399) / 86_400
    let second = unixSeconds - day * 86_400
    let (year, month, date) = calendarDay(day)
    let time = [second / 3600, second / 60 % 60, second % 60].map { padded($0, 2) }
    return padded(year, 4) + "-" + padded(month, 2) + "-" + padded(date, 2) + "T"
        + time.joined(separator: ":") + "Z"
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
    let seconds = parts[0] * 3600 + parts[1] * 60
    return (text.dropLast(6), sign == "-" ? -seconds : seconds)
}

private func numbers(_ text: Substring, separator: Character, widths: [Int]) -> [Int64]? {
    let parts = text.split(separator: separator, omittingEmptySubsequences: false)
    guard parts.map(\.utf8.count) == widths, parts.allSatisfy(isDigits) else { return nil }
    return parts.compactMap { Int64($0) }
}

private func isDigits(_ text: Substring) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
}

private func padded(_ number: Int64, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

/// Days since 1970-01-01; years are counted from March, so that the leap day is the last.
private func dayNumber(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shifted = month > 2 ? year : year - 1
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let ofEra = shifted - era * 400
    let ofYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
    return era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468
}

private func calendarDay(_ number: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = number + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let ofEra = shifted - era * 146_097
    let year = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
    let ofYear = ofEra - (365 * year + year / 4 - year / 100)
    let month = (5 * ofYear + 2) / 153
    let day = ofYear - (153 * month + 2) / 5 + 1
    let isAfterFebruary = month >= 10
    return (year + era * 400 + (isAfterFebruary ? 1 : 0), (month + 2) % 12 + 1, day)
}
