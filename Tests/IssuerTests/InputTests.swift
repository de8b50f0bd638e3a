// Lines that are read from a descriptor: their length, their end, and what follows them.
import Foundation
import Testing

@testable import softtoken_issuer

@Suite("Lines of input")
struct InputTests {
    private func lines(_ text: String, limit: Int) throws(Failure) -> [Int?] {
        let pipe = Pipe()
        // Pipes hold 64 KiB.
        pipe.fileHandleForWriting.write(Data(text.utf8))
        try? pipe.fileHandleForWriting.close()
        let number = pipe.fileHandleForReading.fileDescriptor
        return [
            try secretLine(from: number, limit: limit)?.count,
            try secretLine(from: number, limit: limit)?.count,
        ]
    }

    @Test("A line of a link's length is read, and the next one is left", arguments: ["\n", "\r\n"])
    func long(end: String) throws {
        let line = String(repeating: "a", count: 60_000)
        #expect(try lines(line + end + "bc" + end, limit: 60_000) == [60_000, 2])
        #expect(try lines(line, limit: 60_000) == [60_000, nil])
    }

    @Test(
        "A line that is too long is rejected with its limit", arguments: ["", "\n", "\r\n", "aaa"])
    func tooLong(end: String) {
        do throws(Failure) {
            _ = try lines(String(repeating: "a", count: 1024) + end, limit: 1023)
            Issue.record("it was read")
        } catch {
            #expect(error.exitCode == .rejected && error.message?.contains("1023") == true)
        }
    }
}
