// Answers off a terminal: line by line, never past a line's end. Binds CONTRACT §1 ("Answers").
import Glibc
import ProgramSupport
import SoftTokenCore
import Testing

@testable import softtoken

@Suite("Answers from a descriptor")
struct LineSourceTests {
    @Test("Lines are read one by one, without their ends, and the last may lack its own")
    func readsLines() throws {
        let source = try lines("1234\r\nname\n\n5678")
        #expect(try secret(source, limit: 4) == "1234")
        #expect(try source.nextLine("the name", limit: 64) == "name")
        #expect(try secret(source, limit: 4) == "")
        #expect(try secret(source, limit: 4) == "5678")
        #expect(failure(of: source) == .missing("the PIN"))
    }

    @Test("Nothing beyond the line is taken from a pipe that others share")
    func readsNoFurther() throws {
        let number = pipe(with: "1234\nfor another program")
        #expect(try secret(LineSource(descriptor: number, for: "the PIN"), limit: 4) == "1234")
        var rest = [UInt8](repeating: 0, count: 64)
        #expect(read(number, &rest, 64) == 19)
    }

    @Test("One carriage return is dropped, not two, and none alone is an empty line")
    func dropsOneReturn() throws {
        let source = try lines("12\r\r\n\r\n")
        #expect(try secret(source, limit: 4) == "12\r")
        #expect(try secret(source, limit: 4) == "")
    }

    @Test(
        "A line may have as many bytes as its limit, not one more",
        arguments: [
            ("1234\n", true), ("1234\r\n", true), ("12345\n", false), ("123456789\n", false),
        ])
    func keepsLimit(text: String, fits: Bool) throws {
        // A secret that is too long fills its memory, with nothing of what was given.
        #expect(try secret(lines(text), limit: 4) == (fits ? "1234" : "\0\0\0\0\0\0"))
        let tooLong = AuthenticatorError(.usage, "the name is too long")
        do throws(AuthenticatorError) {
            #expect(try lines(text).nextLine("the name", limit: 4) == "1234" && fits)
        } catch { #expect(error == tooLong && !fits) }
    }

    @Test("No input and a descriptor that isn't open are missing answers")
    func reportsMissing() throws {
        #expect(failure(of: try lines("")) == .missing("the PIN"))
        #expect(throws: AuthenticatorError.missing("the PIN")) {
            _ = try LineSource(descriptor: 1999, for: "the PIN")
        }
    }

    @Test("An ordinary answer that isn't UTF-8 is rejected")
    func rejectsOtherEncodings() throws {
        var ends: [Int32] = [0, 0]
        _ = Glibc.pipe(&ends)
        _ = write(ends[1], [0xC3, 0x28, 0x0A] as [UInt8], 3)
        let source = try LineSource(descriptor: ends[0], for: "the name")
        #expect(throws: AuthenticatorError(.usage, "the name is not UTF-8 text")) {
            _ = try source.nextLine("the name", limit: 64)
        }
    }
}

private func lines(_ text: String) throws(AuthenticatorError) -> LineSource {
    try LineSource(descriptor: pipe(with: text), for: "the PIN")
}

/// The reading end of a pipe that holds `text` and is closed behind it.
private func pipe(with text: String) -> Int32 {
    var ends: [Int32] = [0, 0]
    #expect(Glibc.pipe(&ends) == 0)
    let bytes = Array(text.utf8)
    #expect(write(ends[1], bytes, bytes.count) == bytes.count)
    close(ends[1])
    return ends[0]
}

private func secret(_ source: borrowing LineSource, limit: Int) throws -> String {
    let bytes = try [UInt8](capacity: limit + 2) { (answer) throws(AuthenticatorError) in
        try source.nextSecret("the PIN", into: &answer)
    }
    return String(decoding: bytes, as: UTF8.self)
}

/// Why the next line of at most four bytes doesn't come; nil if it does.
private func failure(of source: borrowing LineSource) -> AuthenticatorError? {
    do throws(AuthenticatorError) {
        _ = try [UInt8](capacity: 6) { (answer) throws(AuthenticatorError) in
            try source.nextSecret("the PIN", into: &answer)
        }
        return nil
    } catch { return error }
}
