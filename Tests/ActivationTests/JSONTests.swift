// The strict JSON reader and the writer: RFC 8259 with CONTRACT §4's limits.
import Testing

@testable import Activation

private func read(_ text: String) -> Result<JSONValue, JSONError> {
    do throws(JSONError) { return .success(try readJSON(Array(text.utf8))) } catch {
        return .failure(error)
    }
}

@Suite("JSON")
struct JSONTests {
    @Test(
        "What is written is read again, and written again the same",
        arguments: [
            .null, true, false, 0, -1, .integer(1 << 53 - 1), .integer(-(1 << 53 - 1)), "", [],
            [:], "a\"\\/\u{8}\u{C}\n\r\t\u{1}\u{1F}\u{7F}é喵😀", [1, [2, "3"], .null],
            ["a": ["b": [true, false]], "": "", "é": 1, "e\u{301}": 2],
        ] as [JSONValue])
    func roundTrip(value: JSONValue) {
        #expect(read(value.text) == .success(value))
        #expect(read(" \t\r\n\(value.text)\n") == .success(value))
    }

    @Test("Members keep their order and their spelling")
    func order() {
        let value: JSONValue = ["z": 1, "a": ["\u{1}": "\n"]]
        #expect(value.text == "{\"z\":1,\"a\":{\"\\u0001\":\"\\n\"}}")
    }

    @Test("Members that are the same letter in two spellings differ")
    func canonicalEquivalence() {
        guard case .success(.object(let members)) = read("{\"K\":1,\"\u{212A}\":2}") else {
            Issue.record("taken for the same member")
            return
        }
        #expect(members.map(\.value) == [1, 2])
        #expect("K" == "\u{212A}" && !"\u{212A}".isExactly("K"))
    }

    @Test("Escapes stand for their characters")
    func escapes() {
        #expect(
            read(#""\u0041\"\\\/\b\f\n\r\t\uD83D\ude00""#) == .success("A\"\\/\u{8}\u{C}\n\r\t😀"))
    }

    static let rejected: [(String, JSONError)] = [
        ("", .malformed), (" ", .malformed), ("nul", .malformed), ("NaN", .malformed),
        ("\"a", .malformed), ("\"\\", .malformed), ("\"\\u12", .malformed),
        ("\"\\x\"", .malformed), ("\"\n\"", .malformed), ("[", .malformed), ("[1", .malformed),
        ("[1,", .malformed), ("[,1]", .malformed), ("[1 2]", .malformed), ("{", .malformed),
        ("{\"a\"", .malformed), ("{\"a\":", .malformed), ("{\"a\":1", .malformed),
        ("{\"a\":1,}", .malformed), ("{a:1}", .malformed), ("{1:1}", .malformed),
        ("1 1", .trailingBytes), ("{}x", .trailingBytes), ("\"\"\0", .trailingBytes),
        ("\u{FEFF}1", .byteOrderMark), ("[1]\u{B}", .trailingBytes),
        ("\"\\ud800\"", .loneSurrogate), ("\"\\udc00\"", .loneSurrogate),
        ("\"\\ud800\\u0041\"", .loneSurrogate), ("\"\\ud800a\"", .loneSurrogate),
        ("1.0", .rejectedNumber), ("1e0", .rejectedNumber), ("1E0", .rejectedNumber),
        ("01", .rejectedNumber), ("-", .rejectedNumber), ("-01", .rejectedNumber),
        ("9007199254740992", .rejectedNumber), ("-9007199254740992", .rejectedNumber),
        ("99999999999999999999", .rejectedNumber), ("[[[[[[[[[1]]]]]]]]]", .tooDeep),
        ("{\"a\":{\"a\":1,\"b\":2,\"a\":1}}", .repeatedMember),
        ("{\"a\":1,\"\\u0061\":1}", .repeatedMember),
    ]

    @Test("What isn't strict JSON is rejected by name", arguments: rejected)
    func rejection(text: String, error: JSONError) { #expect(read(text) == .failure(error)) }

    @Test("Every strict prefix of a text is rejected")
    func prefixes() {
        let text = Array(#"{"a":[1,-20,"\u00e9é\n"],"b":{"c":null,"d":true}}"#.utf8)
        #expect(throws: Never.self) { _ = try readJSON(text) }
        for count in text.indices {
            #expect(throws: JSONError.self) { _ = try readJSON(Array(text[..<count])) }
        }
    }

    @Test("Eight levels are read")
    func depth() { #expect(throws: Never.self) { try read("[[[[[[[[1]]]]]]]]").get() } }
}
