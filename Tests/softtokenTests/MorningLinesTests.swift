import ProgramSupport
// What a prescriber is told in the morning. Binds DESIGN §8.
import SoftTokenCore
import Testing

@testable import softtoken

@Suite("The morning's lines")
struct MorningLinesTests {
    private let now: Int64 = 1_000_000_000

    @Test(
        "The token's end is told in days",
        arguments: [
            (3600, "in less than a day"), (86_400, "in 1 day"), (86_400 * 23 + 5, "in 23 days"),
            (-1, "in less than a day"),
        ])
    func end(seconds: Int64, words: String) {
        let lines = MorningFacts(endsAtUnixSeconds: now + seconds).lines(now: now)
        #expect(lines.map(\.subject) == [.end])
        #expect(lines[0].text.hasPrefix("This token ends \(words), on 2001-"))
    }

    @Test("Nothing is said where there is nothing to say; else the weightiest comes first")
    func order() {
        #expect(MorningFacts().lines(now: now).isEmpty)
        let all = MorningFacts(
            endsAtUnixSeconds: now + 5, hasUnkeptClock: true, lastUseUnixSeconds: now - 5)
        #expect(all.lines(now: now).map(\.subject) == [.end, .clock, .lastUse])
    }

    @Test(
        "A word of a command is a shell's word",
        arguments: [
            ("register", "register"), ("/home/a/softtoken", "/home/a/softtoken"),
            ("Front desk", "'Front desk'"), ("Dr. Ann's", #"'Dr. Ann'\''s'"#), ("$(x)", "'$(x)'"),
            ("", "''"),
        ])
    func quotes(word: String, quoted: String) { #expect(quotedForShell(word) == quoted) }

    @Test("What to do now hangs on the keystore")
    func firstScreens() {
        #expect(firstScreen(.none).contains("  softtoken activate"))
        #expect(firstScreen(.locked).contains("  softtoken show"))
        for state in [Status.Keystore.erased, .damaged, .foreign, .refused] {
            #expect(firstScreen(state).contains("  softtoken status"))
        }
    }
}
