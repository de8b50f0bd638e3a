// PINs that are easy to guess: refused when a PIN is set, by rule and by a short list, at most 1,000
// of the 10,000 (DESIGN §4). The list is the head of the published rankings of four-digit PINs
// (D. Amitay 2011; DataGenetics 2012; Markert et al. 2020; the four-digit ones among the passwords
// that Have I Been Pwned counted in 2024) that no rule covers. What it is worth: FORMAT.md §14.

package enum PINBlocklist {
    /// Whether four ASCII digits are easy to guess.
    package static func contains(_ pin: Span<UInt8>) -> Bool {
        precondition(pin.count == 4, "a PIN has four digits")
        defer { scrubStackAndRegisters(.shallow) }
        return isListed(Int(pin[0]) - 48, Int(pin[1]) - 48, Int(pin[2]) - 48, Int(pin[3]) - 48)
    }

    /// The digits come one by one: an array of them would stay on the heap.
    @inline(never)
    private static func isListed(_ a: Int, _ b: Int, _ c: Int, _ d: Int) -> Bool {
        let number = ((a * 10 + b) * 10 + c) * 10 + d
        return isRepetition(a, b, c, d) || isSequence(a, b, c, d) || isYear(number)
            || isDate(day: number / 100, month: number % 100)
            || lines.contains(number) || ranked.contains(number)
    }

    /// aaaa, abab, aabb, abba.
    private static func isRepetition(_ a: Int, _ b: Int, _ c: Int, _ d: Int) -> Bool {
        a == c && b == d || a == b && c == d || a == d && b == c
    }

    /// Up or down by a fixed step, the 9 followed by the 0 included: 1234, 9876, 2468, 7890.
    private static func isSequence(_ a: Int, _ b: Int, _ c: Int, _ d: Int) -> Bool {
        let step = (b - a + 10) % 10
        return step == (c - b + 10) % 10 && step == (d - c + 10) % 10
            && (step == 1 || step == 2 || step == 8 || step == 9)
    }

    /// A year of birth or of a wedding.
    private static func isYear(_ number: Int) -> Bool { (1900...2039).contains(number) }

    /// A birthday, the day first; of those with the month first the list has the frequent ones.
    private static func isDate(day: Int, month: Int) -> Bool {
        switch month {
        case 2: (1...29).contains(day)
        case 4, 6, 9, 11: (1...30).contains(day)
        case 1...12: (1...31).contains(day)
        default: false
        }
    }

    /// Lines, squares and corners on a telephone's keypad.
    private static let lines: Set<Int> = [
        258, 741, 753, 852, 951, 963, 1236, 1245, 1254, 1397, 1452, 1470, 1475, 1478, 1590, 1598,
        1793, 2356, 2365, 2486, 2563, 2580, 2684, 2846, 3179, 3214, 3570, 3578, 3690, 3698, 3971,
        4268, 4578, 4587, 4785, 5689, 5698, 5896, 6248, 7139, 7412, 7536, 7896, 7931, 8520, 8624,
        8741, 8963, 9317, 9514, 9632, 9713, 9874,
    ]

    private static let ranked: Set<Int> = [
        1, 7, 10, 70, 100, 147, 200, 214, 321, 420, 786, 815, 1000, 1013, 1014, 1015, 1016, 1017,
        1018, 1019, 1020, 1021, 1022, 1023, 1024, 1025, 1026, 1027, 1028, 1029, 1030, 1031, 1066,
        1113, 1114, 1115, 1116, 1117, 1118, 1119, 1120, 1121, 1123, 1124, 1125, 1126, 1127, 1128,
        1129, 1130, 1134, 1200, 1213, 1214, 1215, 1216, 1217, 1218, 1219, 1220, 1222, 1223, 1224,
        1225, 1226, 1227, 1228, 1229, 1230, 1231, 1232, 1233, 1235, 1237, 1243, 1256, 1258, 1290,
        1300, 1314, 1316, 1320, 1321, 1323, 1324, 1326, 1337, 1342, 1345, 1346, 1369, 1379, 1415,
        1420, 1423, 1425, 1432, 1453, 1456, 1472, 1488, 1492, 1500, 1516, 1520, 1523, 1524, 1530,
        1543, 1600, 1618, 1622, 1776, 1789, 1800, 1865, 2083, 2100, 2113, 2122, 2123, 2143, 2223,
        2225, 2324, 2326, 2369, 2425, 2469, 2523, 2526, 2530, 2589, 2636, 3000, 3141, 3435, 4000,
        4121, 4123, 4200, 4254, 4512, 4569, 4711, 5000, 5055, 5150, 5310, 5482, 5683, 6000, 6303,
        6669, 7000, 7410, 7894, 8000, 8246, 8443, 8675, 9000, 9001, 9110, 9510, 9512, 9527,
    ]
}
