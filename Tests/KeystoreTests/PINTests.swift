// DESIGN §4: exactly four ASCII digits; what is easy to guess is refused at setting.
import Testing

@testable import Keystore

@Suite("PINs")
struct PINTests {
    @Test("Four ASCII digits are a PIN", arguments: ["0000", "2758", "9999"])
    func accepted(text: String) throws { #expect(try isPIN(Array(text.utf8))) }

    @Test(
        "Anything else is none, and spends no attempt",
        arguments: [
            "", "1", "123", "12345", "12a4", "12 4", " 123", "123\n", "123\0", "+123", "-123",
            "１２３４",
            "١٢٣٤", "12.4", "/000", ":000",
        ])
    func malformed(text: String) throws { #expect(try !isPIN(Array(text.utf8))) }

    @Test("Each byte that is no digit is rejected at each place", arguments: 0..<4)
    func everyByte(place: Int) throws {
        for byte in UInt8.min...UInt8.max {
            var typed = Array("2758".utf8)
            typed[place] = byte
            #expect(try isPIN(typed) == (0x30...0x39).contains(byte))
        }
    }

    @Test("Two PINs match only when they are the same")
    func matching() throws {
        let pin = try makePIN("2758")
        for (text, isSame) in [("2758", true), ("2759", false), ("1758", false)] {
            let matches = pin.matches(try makePIN(text))
            #expect(matches == isSame)
        }
    }

    @Test("At most 1,000 of the 10,000 are blocked, and not none")
    func countOfBlocked() {
        let blocked = (0..<10_000).filter(isBlocked)
        print("blocked PINs: \(blocked.count) of 10,000")
        #expect((300...1_000).contains(blocked.count))
    }

    /// The heads of D. Amitay 2011, DataGenetics 2012, Markert et al. 2020 (tables 2 and 3) and Have I
    /// Been Pwned 2024.
    @Test(
        "Well-known easy PINs are blocked",
        arguments: [
            1234, 1111, 0, 1212, 7777, 1004, 2000, 4444, 2222, 6969, 9999, 3333, 5555, 6666, 1122,
            1313, 8888, 4321, 2001, 1010, 2580, 852, 1998, 5683, 1379, 5678, 9876, 7890, 2468, 8642,
            123, 3210, 1221, 1991, 1984, 2024, 1357, 7531, 1236, 7410, 1590, 3570,
            1453, 1907, 1233, 2512, 1342, 4200,
        ])
    func knownEasyOnes(number: Int) { #expect(isBlocked(number)) }

    @Test(
        "Ordinary ones are not", arguments: [2758, 8206, 4839, 6093, 3917, 7364, 5208, 9463])
    func ordinaryOnes(number: Int) throws {
        #expect(!isBlocked(number))
        let isEasy = try makePIN(String(number)).isEasyToGuess
        #expect(!isEasy)
    }

    @Test("A year is blocked from 1900 to 2039")
    func years() {
        for year in 1900...2039 { #expect(isBlocked(year)) }
        #expect(!isBlocked(1899))
        #expect(!isBlocked(2041))
    }

    @Test("A day of the year is blocked, the day before the month, and no day that does not exist")
    func dates() {
        for date in [101, 112, 1207, 2902, 3004, 3101, 3112, 2212] { #expect(isBlocked(date)) }
        for number in [3002, 3104, 3106, 3109, 3111, 3201, 2813, 5012] {
            #expect(!isBlocked(number))
        }
    }

    @Test("Every repetition and every run by ones and twos is blocked")
    func rules() {
        for a in 0..<10 {
            for b in 0..<10 {
                for pin in [[a, a, a, a], [a, b, a, b], [a, a, b, b], [a, b, b, a]] {
                    #expect(isBlocked(pin.reduce(0) { $0 * 10 + $1 }))
                }
            }
            for step in [1, 2, 8, 9] {
                let pin = (0..<4).map { (a + $0 * step) % 10 }
                #expect(isBlocked(pin.reduce(0) { $0 * 10 + $1 }))
            }
        }
    }

    @Test("A drawn PIN is never a blocked one, and they differ")
    func drawnPINs() throws {
        var drawn: Set<Int> = []
        for _ in 0..<3_000 {
            let pin = try PINDigits(random: ())
            let number = pin.read { digits in
                (0..<4).reduce(0) { $0 * 10 + Int(digits[$1]) - 48 }
            }
            #expect(!isBlocked(number))
            drawn.insert(number)
        }
        // 3,000 draws of 9,000 leave about 2,550 different ones; a stuck digit leaves 930 at most.
        #expect(drawn.count > 2_300)
    }

    private func isPIN(_ typed: [UInt8]) throws -> Bool {
        let pin = try PINDigits(typed.span)
        return pin != nil
    }

    private func isBlocked(_ number: Int) -> Bool {
        let digits = [1000, 100, 10, 1].map { UInt8(48 + number / $0 % 10) }
        return PINBlocklist.contains(digits.span)
    }
}

/// A PIN of a test.
func makePIN(_ text: String) throws -> PINDigits {
    struct NotFourDigits: Error {}
    let bytes = Array(text.utf8)
    guard let pin = try PINDigits(bytes.span) else { throw NotFourDigits() }
    return pin
}
