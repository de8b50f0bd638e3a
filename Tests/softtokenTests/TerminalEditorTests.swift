// What keys do to an answer: backspace, pastes, escape sequences, limits. Binds DESIGN §8.
import Testing

@testable import softtoken

@Suite("Typing an answer")
struct TerminalEditorTests {
    @Test(
        "One line",
        arguments: [
            ("1234\r", "1234"), ("12x\u{7F}34\n", "1234"), ("12\u{8}\u{8}\u{8}7\r", "7"),
            ("1234\u{15}56\r", "56"), ("é\u{7F}e\r", "e"), ("中\u{7F}\r", ""),
            ("1\u{1B}[A2\u{1B}[1;5C3\r", "123"), ("1\u{1B}OP2\r", "12"), ("1\u{1B}b2\r", "12"),
            ("a\tb\u{1}c\r", "abc"), ("\u{1B}[200~12\u{1B}[201~34\r", "1234"), ("1\u{1B}\r", "1"),
            ("1\u{1B}[\r", "1"), ("12\u{4}3\r", "123"),
        ])
    func editsLine(typed: String, expected: String) {
        for kind in [TerminalEditor.Kind.line, .secret] {
            let answer = type(typed, kind)
            #expect(answer.text == expected)
            #expect(answer.last == .lineEnd)
        }
    }

    @Test("A paste's line end doesn't belong to a PIN, and ends it")
    func endsLineInPaste() {
        #expect(type("\u{1B}[200~1234\rrest", .secret).text == "1234")
    }

    @Test("A pasted text keeps its line ends and tabs; Enter outside of the paste ends it")
    func keepsPastedLines() {
        let answer = type("\u{1B}[200~one\rtwo\n\tthree\r\u{1B}[201~\r", .secretText)
        #expect(answer.text == "one\ntwo\n\tthree\n" && answer.last == .lineEnd)
    }

    @Test("Ctrl-D ends the input where nothing was typed, and a text where something was")
    func endsInput() {
        for kind in [TerminalEditor.Kind.line, .secret, .secretText] {
            #expect(type("\u{4}", kind).last == .endOfInput)
        }
        #expect(type("mail\u{4}", .secretText).last == .lineEnd)
    }

    @Test("More than the limit is noticed, not cut; Ctrl-U starts anew")
    func noticesTooMuch() {
        #expect(!type("12345678\r", .secret).isTooLong)
        #expect(type("123456789\r", .secret).isTooLong)
        #expect(type("123456789\u{7F}\r", .secret).isTooLong)
        #expect(!type("123456789\u{15}1234\r", .secret).isTooLong)
    }

    @Test("What was erased is overwritten, and so is what was never part of the answer")
    func overwrites() {
        let answer = type("1234\u{15}5\u{1B}[A\r", .secret)
        #expect(answer.buffer == [UInt8(ascii: "5"), 0, 0, 0, 0, 0, 0, 0, 0])
        #expect(type("5\u{7F}", .secret).buffer.allSatisfy { $0 == 0 })
    }

    @Test("An echoed character is taken back with all its columns")
    func erasesColumns() {
        #expect(type("中\u{7F}", .line).last == .erased(columns: 2))
        #expect(type("ab中\u{15}", .line).last == .erased(columns: 4))
        #expect(type("\u{7F}", .line).last == .nothing)
    }
}

private struct Typed {
    var buffer: [UInt8]
    var text: String
    var last: TerminalEditor.Step
    var isTooLong: Bool
}

/// Types into an answer of at most eight bytes (1,000 for a text), up to its end.
private func type(_ keys: String, _ kind: TerminalEditor.Kind) -> Typed {
    var editor = TerminalEditor(kind, limit: kind == .secretText ? 1000 : 8)
    var buffer = [UInt8](repeating: 0, count: editor.limit + 1)
    var last = TerminalEditor.Step.nothing
    for byte in keys.utf8 {
        var span = buffer.mutableSpan
        span[editor.count] = byte
        last = editor.take(&span)
        if last == .lineEnd || last == .endOfInput { break }
    }
    let text = String(decoding: buffer.prefix(editor.count), as: UTF8.self)
    return Typed(buffer: buffer, text: text, last: last, isTooLong: editor.isTooLong)
}
