// RFC 3339 timestamps in UTC: without Foundation, whose start costs 8 ms.

/// A moment as RFC 3339 writes it in UTC.
package enum UTCTime {
    /// "2026-11-23T07:00:00Z".
    package static func text(unixSeconds: Int64) -> String {
        var (day, rest) = unixSeconds.quotientAndRemainder(dividingBy: 86_400)
        if rest < 0 {
            day -= 1
            rest += 86_400
        }
        let second = Int(rest)
        let date = CivilDate(daysSince1970: day)
        return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
            + "T\(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))Z"
    }

    /// The moment that such a text names; nil if it is malformed.
    package static func unixSeconds(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count == 20 else { return nil }
        func number(_ range: Range<Int>) -> Int? {
            Int(String(decoding: bytes[range], as: UTF8.self))
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            let days = CivilDate.daysSince1970(year: year, month: month, day: day)
        else { return nil }
        let seconds = days * 86_400 + Int64(hour * 3600 + minute * 60 + second)
        // All that stands between the numbers is what belongs there, none has a sign, and the clock
        // has this time.
        return self.text(unixSeconds: seconds) == text ? seconds : nil
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
