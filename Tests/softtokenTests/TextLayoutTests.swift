// Lines broken at their spaces, and columns. Source: DESIGN §8 (20 columns and up).
import ProgramSupport
import SoftTokenCore
import Testing

@testable import softtoken

@Suite("Text that fits a window")
struct TextLayoutTests {
    @Test(
        "Lines are broken at their spaces, and none is wider than the window",
        arguments: [
            ("one two three", 7, 0, ["one two", "three"]),
            ("one two three", 80, 0, ["one two three"]),
            ("key   the value of it", 12, 6, ["key   the", "      value", "      of it"]),
            // Two columns each.
            ("名前 名前 a", 9, 0, ["名前 名前", "a"]),
            // A word that is wider stands alone: it can be copied whole.
            ("a ABCD-EFGH-IJKL-MNOP b", 8, 0, ["a", "ABCD-EFGH-IJKL-MNOP", "b"]),
            ("", 10, 0, [""]), ("  1  first", 80, 0, ["  1  first"]),
            // Half a command, copied, would be another one.
            (
                "run sudo /a/softtoken device register, then", 34, 0,
                ["run", "sudo /a/softtoken device register,", "then"]
            ),
            ("see softtoken device --help", 16, 0, ["see softtoken", "device --help"]),
            ("as softtoken list shows", 17, 0, ["as softtoken list", "shows"]),
            ("as softtoken list shows", 16, 0, ["as", "softtoken list", "shows"]),
            ("another softtoken is at work", 17, 0, ["another softtoken", "is at work"]),
            // An option's value belongs to it.
            (
                "run softtoken device register --label 'Front  desk' there", 48, 0,
                ["run", "softtoken device register --label 'Front  desk'", "there"]
            ),
            (
                "run softtoken show --for 60 --once", 30, 0,
                ["run", "softtoken show --for 60 --once"]
            ),
            ("with softtoken show; or", 16, 0, ["with", "softtoken show;", "or"]),
            (
                "run sudo softtoken device register --label 'Front desk' now", 52, 0,
                ["run", "sudo softtoken device register --label 'Front desk'", "now"]
            ),
            ("do softtoken pin --protector tpm2", 30, 0, ["do", "softtoken pin --protector tpm2"]),
        ])
    func wrapping(text: String, columns: Int, hanging: Int, lines: [String]) {
        #expect(wrapped(text, columns: columns, hanging: hanging) == lines)
    }

    @Test("Columns stand under each other, whatever the letters' width, and end with their text")
    func columns() {
        #expect(
            aligned([["NAME", "TYPE", "SERIAL"], ["Sign", "totp", "-"], ["名前", "hotp", "S1"]])
                == ["NAME  TYPE  SERIAL", "Sign  totp  -", "名前  hotp  S1"])
        #expect(aligned([]) == [])
    }
}

@Suite("Rows under a heading")
struct TableTests {
    private let heading = ["NAME", "TYPE", "ISSUER"]
    private let rows = [["Sign", "totp", "Health of Main Street"], ["Old one", "hotp", "-"]]

    @Test("Where they fit they are columns")
    func columns() {
        #expect(
            table(rows, heading: heading, columns: 36) == [
                ["NAME     TYPE  ISSUER"], ["Sign     totp  Health of Main Street"],
                ["Old one  hotp  -"],
            ])
    }

    @Test("Where they don't they are blocks, and nothing in them is wider than the window")
    func blocks() {
        #expect(
            table(rows, heading: heading, columns: 19) == [
                [], ["Sign", "  type: totp", "  issuer: Health of", "    Main Street"],
                ["Old one", "  type: hotp"],
            ])
    }
}

@Suite("Usage errors in words")
struct UsageWordsTests {
    private func message(_ line: String, _ parserMessage: String) -> AuthenticatorError {
        usageError(
            parserMessage: parserMessage, line.split(separator: " ").map(String.init),
            root: SoftTokenCommand.self, misplacedLink: .misplacedLink)
    }

    @Test(
        "A slip of the fingers is understood, a stranger is not guessed at",
        arguments: [
            ("shwo", "did you mean softtoken show? see softtoken --help"),
            ("lst", "did you mean softtoken list? see softtoken --help"),
            ("activte", "did you mean softtoken activate? see softtoken --help"),
            ("device forbit", "did you mean softtoken device forbid? see softtoken device --help"),
            ("xyzzy", "see softtoken --help"), ("wipe", "see softtoken --help"),
        ])
    func commands(line: String, hint: String) {
        let message = message(line, "Unexpected argument")
        #expect(message.exitCode == .usage)
        #expect(message.message == "there is no command \(line.split(separator: " ").last ?? "")")
        #expect(message.hint == hint)
    }

    @Test("The hint is the help of the command that was typed; an option's value is none")
    func others() {
        let option = message("show --onec", "Unknown option '--onec'. Did you mean '--once'?")
        #expect(option.message == "unknown option '--onec'")
        #expect(option.hint == "did you mean '--once'? see softtoken show --help")
        let value = message("show --for x", "The value 'x' is invalid. Please provide a number.")
        #expect(value.message == "the value 'x' is invalid")
        #expect(value.hint == "please provide a number; see softtoken show --help")
        let begun = message("activate --not-prescribing", "Unknown option '--not-prescribing'")
        #expect(
            begun.hint
                == "did you mean --not-prescribing-device? see softtoken activate --help")
        // --no-color or --not-prescribing-device.
        #expect(message("show --no", "Unknown option '--no'").hint == "see softtoken show --help")
        let early = message("--pin-fd 3 show", "Unknown option '--pin-fd'")
        #expect(early.message == "unknown option '--pin-fd'")
    }
}
