// What stands on the display in windows of all sizes. Binds DESIGN §8.
import ProgramSupport
import SoftTokenCore
import Testing

@testable import softtoken

@Suite("The display's lines")
struct DisplayTextTests {
    @Test("Each line fits, in every window, with every length of OTP")
    func fits() {
        for columns in [8, 20, 21, 39, 40, 80, 200] {
            for rows in [1, 2, 5, 12, 24] {
                for showing in [sample(left: 3), sample(left: 29), sample(left: 3, digits: 8)] {
                    let lines = text(columns: columns, rows: rows).lines(showing)
                    #expect(lines.count <= rows)
                    guard columns >= 20 else { continue }
                    for line in lines { #expect(columnWidth(line.text) < columns, "\(line.text)") }
                }
            }
        }
    }

    @Test("A paragraph is left out whole, never half of its lines")
    func leavesOutWholeParagraphs() {
        let all = text(columns: 20, rows: 40).lines(sample(left: 3)).map(\.text)
        for rows in 1...24 {
            let kept = text(columns: 20, rows: rows).lines(sample(left: 3)).map(\.text)
            let pending = all.filter { ["Pending: may not be", "accepted until"].contains($0) }
            #expect(pending.count == 2)
            #expect([0, 2].contains(kept.filter(pending.contains).count), "\(rows) rows")
        }
    }

    @Test("A word is cut only where it is wider than the window")
    func breaksNoWord() {
        var named = subject
        named.name = "Clinic on Main Street, Pneumonoultramicroscopic"
        let lines = DisplayText(subject: named, glyphs: .unicode, columns: 20, rows: 40)
            .lines(sample(left: 20)).map(\.text)
        #expect(lines.prefix(3) == ["Clinic on Main", "Street,", "Pneumonoultramicro…"])
    }

    @Test("From ten rows on the digits are large, if the window is wide enough for them")
    func drawsBigDigits() {
        func isBig(_ columns: Int, _ rows: Int, digits: Int = 6) -> Bool {
            text(columns: columns, rows: rows).lines(sample(left: 20, digits: digits))
                .count { $0.look == .otp } == BigDigits.rowCount
        }
        #expect(isBig(80, 24) && isBig(80, 10) && !isBig(80, 9))
        #expect(isBig(26, 10) && !isBig(25, 10))
        #expect(isBig(34, 10, digits: 8) && !isBig(33, 10, digits: 8))
    }

    @Test(
        "A screen reader is given one digit after the other",
        arguments: [
            ("255521", "2 5 5, 5 2 1"), ("1234567", "1 2 3, 4 5 6 7"),
            ("12345678", "1 2 3 4, 5 6 7 8"),
        ])
    func speaks(digits: String, expected: String) {
        #expect(spoken(digits) == expected)
    }

    @Test("The OTP is there in every window; the bar and the next OTP in all but the smallest")
    func keepsTheOTP() {
        for rows in 1...24 {
            let lines = text(columns: 20, rows: rows).lines(sample(left: 3)).map(\.text)
            #expect(lines.contains { $0.contains("123 456") })
            #expect(rows < 3 || lines.contains { $0.contains("Next: 654 321") })
            #expect(rows < 3 || lines.contains { $0.contains("3 s") })
        }
    }

    @Test("Twenty columns say everything")
    func saysAllInTwentyColumns() {
        let lines = text(columns: 20, rows: 24).lines(sample(left: 3)).map(\.text)
        let words = lines.joined(separator: " ").split(separator: " ").joined(separator: " ")
        for said in [
            "Clinic", "123 456", "Rolls over at", "Next: 654 321",
            "Pending: may not be accepted until", "Ends at", "q or Ctrl-C ends it now",
        ] { #expect(words.contains(said), "\(said)") }
    }

    @Test(
        "OTPs stand in two groups",
        arguments: [("123456", "123 456"), ("1234567", "123 4567"), ("12345678", "1234 5678")])
    func groups(digits: String, expected: String) {
        #expect(grouped(digits) == expected)
    }

    @Test(
        "The bar is full at the start, never empty, and shrinks",
        arguments: [(30, 30), (29, 29), (15, 15), (1, 1)])
    func drawsBar(left: Int, full: Int) {
        let lines = text(columns: 80, rows: 24).lines(sample(left: left))
        let bar = lines.first { $0.text.hasSuffix(" \(left) s") }?.text ?? ""
        #expect(bar.count { $0 == "█" } == full)
        #expect(bar.count { $0 == "░" } == 30 - full)
    }

    private func text(columns: Int, rows: Int) -> DisplayText {
        DisplayText(subject: subject, glyphs: .unicode, columns: columns, rows: rows)
    }
}

@Suite("The display's bytes")
struct DisplayScreenTests {
    @Test("A frame that changes nothing writes nothing", arguments: [form(.screen), form(.line)])
    func writesOnlyChanges(style: DisplayStyle) {
        var screen = DisplayScreen(subject: subject, style: style)
        #expect(!screen.draw(sample(left: 20), columns: 80, rows: 24).isEmpty)
        #expect(screen.draw(sample(left: 20), columns: 80, rows: 24).isEmpty)
        screen.forget()
        #expect(!screen.draw(sample(left: 20), columns: 80, rows: 24).isEmpty)
    }

    @Test("Only the screen form has escape sequences, and colour only where it is wanted")
    func usesEscapes() {
        for style in [form(.line), form(.plain)] {
            var screen = DisplayScreen(subject: subject, style: style)
            for left in [20, 4, 3] {
                let text = screen.draw(sample(left: left), columns: 80, rows: 24)
                #expect(!text.contains("\u{1B}"))
            }
        }
        for (colour, expected) in [(DisplayStyle.Colour.none, false), (.some, true)] {
            let style = DisplayStyle(form: .screen, glyphs: .unicode, colour: colour)
            var screen = DisplayScreen(subject: subject, style: style)
            let text = screen.draw(sample(left: 3), columns: 80, rows: 24)
            #expect(text.contains("\u{1B}[31m") == expected)
            #expect(text.contains("Next: 654 321"))
        }
    }

    @Test("The plain form says the OTP once, the next one once, and the new one once")
    func saysChangesOnce() {
        var screen = DisplayScreen(subject: subject, style: form(.plain))
        var said = [30, 20, 4, 3, 1].map { left in
            screen.draw(sample(left: left), columns: 80, rows: 24)
        }
        var rolled = sample(left: 30)
        rolled.otp = OneTimePassword(
            digits: "654321",
            validity: .time(fromUnixSeconds: 1_000_000_050, untilUnixSeconds: 1_000_000_080))
        rolled.pendingUntilUnixSeconds = nil
        said.append(screen.draw(rolled, columns: 80, rows: 24))
        #expect(said[0].hasPrefix("Clinic, Example Health\nPending: may not be accepted until "))
        #expect(said[0].contains("\nOTP 1 2 3, 4 5 6; rolls over at "))
        #expect(said[1].isEmpty && said[3].isEmpty && said[4].isEmpty)
        #expect(said[2] == "4 seconds left, next OTP 6 5 4, 3 2 1\n")
        #expect(said[5].hasPrefix("OTP 6 5 4, 3 2 1; rolls over at "))
        #expect(said[5].hasSuffix("No longer pending\n"))
    }

    @Test("The one line is overwritten whole, fits twenty columns, and is blanked at the end")
    func overwritesLine() {
        var screen = DisplayScreen(subject: subject, style: form(.line))
        _ = screen.draw(sample(left: 20), columns: 20, rows: 24)
        let near = screen.draw(sample(left: 4), columns: 20, rows: 24)
        #expect(near == "\r4 s: 654 321 ")
        #expect(screen.draw(sample(left: 20), columns: 20, rows: 24) == "\r123 456  20 s")
        #expect(screen.clear() == "\r             \r")
    }

    @Test("Without UTF-8 nothing but ASCII is written")
    func writesASCII() {
        var named = subject
        named.name = "Praxis Ångström"
        for form in [DisplayStyle.Form.screen, .line, .plain] {
            let style = DisplayStyle(form: form, glyphs: .ascii, colour: .none)
            var screen = DisplayScreen(subject: named, style: style)
            let text = screen.draw(sample(left: 3), columns: 80, rows: 24)
            #expect(text.utf8.allSatisfy { $0 < 0x80 })
            #expect(text.contains("Praxis ?ngstr?m"))
        }
    }
}

@Suite("The display's style")
struct DisplayStyleTests {
    @Test(
        "Options, NO_COLOR, TERM and the locale decide",
        arguments: [
            (["TERM": "xterm", "LANG": "de_DE.UTF-8"], DisplayStyle.Form.screen, true, true),
            (["TERM": "xterm", "LANG": "en_US.utf8", "NO_COLOR": "1"], .screen, true, false),
            (["TERM": "xterm", "LANG": "de_DE.UTF-8@euro"], .screen, true, true),
            (["TERM": "xterm", "NO_COLOR": ""], .screen, false, true),
            (["TERM": "xterm", "LANG": "C.UTF-8", "LC_ALL": "C"], .screen, false, true),
            (["TERM": "xterm", "LANG": "C", "LC_CTYPE": "C.UTF-8"], .screen, true, true),
            (["TERM": "xterm", "LANG": "C.UTF-8", "LC_ALL": ""], .screen, true, true),
            (["TERM": "dumb", "LANG": "C.UTF-8"], .line, true, false),
            (["LANG": "C.UTF-8"], .line, true, false),
        ])
    func decides(
        variables: [String: String], form: DisplayStyle.Form, isUnicode: Bool, isColoured: Bool
    ) {
        let style = DisplayStyle(wantsPlain: false, forbidsColour: false) { variables[$0] }
        #expect(style.form == form)
        #expect((style.glyphs == .unicode) == isUnicode)
        #expect((style.colour == .some) == isColoured)
        let plain = DisplayStyle(wantsPlain: true, forbidsColour: false) { variables[$0] }
        #expect(plain.form == .plain && plain.colour == .none)
        let pale = DisplayStyle(wantsPlain: false, forbidsColour: true) { variables[$0] }
        #expect(pale.colour == .none)
    }
}

@Suite("Columns")
struct ColumnWidthTests {
    @Test(
        "Characters take the columns that a terminal gives them",
        arguments: [
            ("abc", 3), ("é", 1), ("e\u{301}", 1), ("中文", 4), ("한", 2), ("ﾊ", 1), ("Ａ", 2),
            ("😀", 2), ("👩‍👩‍👧", 2), ("🇩🇪", 2), ("\u{200B}", 0), ("…", 1), ("", 0),
        ])
    func measures(text: String, expected: Int) {
        #expect(columnWidth(text) == expected)
    }

    @Test(
        "Cutting never splits a character and never exceeds the columns",
        arguments: [
            ("Clinic", 6, "Clinic"), ("Clinic", 5, "Clin…"), ("中文字", 5, "中文…"),
            ("中文字", 4, "中…"), ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"), ("Clinic", 1, ""),
        ])
    func cuts(whole: String, columns: Int, expected: String) {
        let part = cut(whole, toColumns: columns, ellipsis: "…")
        #expect(part == expected)
        #expect(columnWidth(part) <= columns)
    }
}

private let subject = DisplaySubject(name: "Clinic", issuer: "Example Health")

private func form(_ form: DisplayStyle.Form) -> DisplayStyle {
    DisplayStyle(form: form, glyphs: .unicode, colour: .none)
}

private func sample(left: Int, digits: Int = 6) -> DisplayFrame.Showing {
    let next = String("65432109".prefix(digits))
    return DisplayFrame.Showing(
        otp: OneTimePassword(
            digits: String("12345678".prefix(digits)),
            validity: .time(fromUnixSeconds: 1_000_000_020, untilUnixSeconds: 1_000_000_050)),
        rolling: DisplayFrame.Rolling(
            secondsLeft: left, stepSeconds: 30, rollsOverAtUnixSeconds: 1_000_000_050,
            next: left < 5 ? next : nil),
        pendingUntilUnixSeconds: 1_000_002_000, endsAtUnixSeconds: 1_000_000_320)
}
