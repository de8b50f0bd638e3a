// Answers off a terminal: line by line, never past a line's end. Binds CONTRACT §1 ("Answers").
import Glibc
import Testing

@testable import softtoken

@Suite("Answers from a descriptor")
struct LineSourceTests {
    @Test("Lines are read one by one, without their ends, and the last may lack its own")
    func readsLines() throws {
        let source = try LineSource(descriptor: pipe(with: "1234\r\nname\n\n5678"))
        #expect(try secret(source, limit: 4) == "1234")
        #expect(try source.nextLine(limit: 64) == "name")
        #expect(try secret(source, limit: 4) == "")
        #expect(try secret(source, limit: 4) == "5678")
        #expect(failure(of: source) == .missing)
    }

    @Test("Nothing beyond the line is taken from a pipe that others share")
    func readsNoFurther() throws {
        let number = try pipe(with: "1234\nfor another program")
        #expect(try secret(LineSource(descriptor: number), limit: 4) == "1234")
        var rest = [UInt8](repeating: 0, count: 64)
        #expect(read(number, &rest, 64) == 19)
    }

    @Test("One carriage return is dropped, not two, and none alone is an empty line")
    func dropsOneReturn() throws {
        let source = try LineSource(descriptor: pipe(with: "12\r\r\n\r\n"))
        #expect(try secret(source, limit: 4) == "12\r")
        #expect(try secret(source, limit: 4) == "")
    }

    @Test(
        "A line may have as many bytes as its limit, not one more",
        arguments: [("1234\n", nil), ("1234\r\n", nil), ("12345\n", 4), ("123456789\n", 4)]
            as [(String, Int?)])
    func keepsLimit(text: String, limit: Int?) throws {
        let source = try LineSource(descriptor: pipe(with: text))
        #expect(failure(of: source) == limit.map { .tooLong(limit: $0) })
    }

    @Test("No input and a descriptor that isn't open are missing answers")
    func reportsMissing() throws {
        #expect(failure(of: try LineSource(descriptor: pipe(with: ""))) == .missing)
        #expect(throws: AnswerError.missing) { _ = try LineSource(descriptor: 1999) }
    }

    @Test("An ordinary answer that isn't UTF-8 is rejected")
    func rejectsOtherEncodings() throws {
        var ends: [Int32] = [0, 0]
        _ = Glibc.pipe(&ends)
        _ = write(ends[1], [0xC3, 0x28, 0x0A] as [UInt8], 3)
        let source = try LineSource(descriptor: ends[0])
        #expect(throws: AnswerError.notText) { _ = try source.nextLine(limit: 64) }
    }
}

/// The reading end of a pipe that holds `text` and is closed behind it.
private func pipe(with text: String) throws -> Int32 {
    var ends: [Int32] = [0, 0]
    try #require(Glibc.pipe(&ends) == 0)
    let bytes = Array(text.utf8)
    try #require(write(ends[1], bytes, bytes.count) == bytes.count)
    close(ends[1])
    return ends[0]
}

private func secret(_ source: borrowing LineSource, limit: Int) throws -> String {
    let bytes = try [UInt8](capacity: limit + 2) { (answer) throws(AnswerError) in
        try source.nextSecret(into: &answer)
    }
    return String(decoding: bytes, as: UTF8.self)
}

/// Why the next line of at most four bytes doesn't come; nil if it does.
private func failure(of source: borrowing LineSource) -> AnswerError? {
    do throws(AnswerError) {
        _ = try [UInt8](capacity: 6) { (answer) throws(AnswerError) in
            try source.nextSecret(into: &answer)
        }
        return nil
    } catch { return error }
}
