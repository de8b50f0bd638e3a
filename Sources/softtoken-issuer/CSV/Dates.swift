// Dates as XML Schema's dateTime has them (RFC 6030 §5), to seconds since 1970. No time zone database:
// a date without a zone is UTC.
internal import Linux

/// The seconds since 1970 of `2006-05-31T00:00:00Z`, with a fraction and an offset if there are any.
///
/// - Returns: nil for anything else.
func unixSeconds(_ text: String) -> Int64? {
    let (date, offset) = splitZone(text)
    let parts = date.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let isFraction = parts.dropFirst().allSatisfy { part in
        !part.isEmpty && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
    guard isFraction, let offset, let seconds = UTCTime.unixSeconds(parts[0] + "Z") else {
        return nil
    }
    return seconds - offset
}

/// The date, and its zone's offset in seconds; nil for a zone that is none.
private func splitZone(_ text: String) -> (date: Substring, offset: Int64?) {
    if text.hasSuffix("Z") { return (text.dropLast(), 0) }
    let zone = text.suffix(6)
    guard let sign = zone.first, sign == "+" || sign == "-", text.count > 16 else {
        return (text[...], 0)
    }
    // As a time of the first day it is hh:mm.
    let seconds = UTCTime.unixSeconds("1970-01-01T\(zone.dropFirst()):00Z")
    guard let seconds, seconds < 15 * 3600 else { return (text.dropLast(6), nil) }
    return (text.dropLast(6), sign == "-" ? -seconds : seconds)
}
