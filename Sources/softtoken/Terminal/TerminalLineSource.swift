// Answers that don't come from a terminal: lines of standard input, or of the descriptor that
// --pin-fd names. Bytes go from read(2) into guarded memory, one line and no further: what follows
// may be for another program at the same pipe. Bound by CONTRACT §1 ("Answers").
import Linux

/// Lines from a descriptor, each read when it is asked for.
final class LineSource {
    private let descriptor: Descriptor

    /// Reads from a copy of `number`, which stays open for others.
    ///
    /// - Throws: `AnswerError.missing` if it isn't open.
    init(descriptor number: Int32) throws(AnswerError) {
        do throws(SystemError) {
            descriptor = try Descriptor(duplicating: number, path: "descriptor \(number)")
        } catch {
            throw .missing
        }
    }

    /// The next line as an ordinary answer.
    ///
    /// - Throws: `AnswerError`; `missing` at the end of the input.
    func nextLine(limit: Int) throws(AnswerError) -> String {
        var bytes = [UInt8](repeating: 0, count: limit + 2)
        var span = bytes.mutableSpan
        let count = try readAnswer(into: &span)
        return try text(of: bytes[..<count])
    }

    /// The next line as a secret, without its line end (LF or CR LF).
    ///
    /// - Parameter answer: gets the line; nothing for an empty one. It has room for its line end, too.
    /// - Throws: `AnswerError`; `missing` at the end of the input.
    func nextSecret(into answer: inout OutputSpan<UInt8>) throws(AnswerError) {
        try answer.write { (bytes: inout MutableSpan<UInt8>) throws(AnswerError) in
            try readAnswer(into: &bytes)
        }
    }

    /// Reads a line; one CR at its end is dropped.
    private func readAnswer(into bytes: inout MutableSpan<UInt8>) throws(AnswerError) -> Int {
        // One byte for the CR and one for the LF.
        let limit = bytes.count - 2
        var count = try readLine(into: &bytes, limit: limit)
        if count > 0, bytes[count - 1] == UInt8(ascii: "\r") { count -= 1 }
        guard count <= limit else { throw .tooLong(limit: limit) }
        return count
    }

    /// Reads up to and including the line's end; returns the bytes before it.
    private func readLine(
        into bytes: inout MutableSpan<UInt8>, limit: Int
    ) throws(AnswerError) -> Int {
        var count = 0
        while try readByte(into: &bytes, at: count) {
            if bytes[count] == UInt8(ascii: "\n") {
                bytes[count] = 0
                return count
            }
            count += 1
            guard count < bytes.count else { throw .tooLong(limit: limit) }
        }
        // The last line may lack its end; no line at all is a missing answer.
        guard count > 0 else { throw .missing }
        return count
    }

    private func readByte(
        into bytes: inout MutableSpan<UInt8>, at index: Int
    ) throws(AnswerError) -> Bool {
        do throws(SystemError) {
            return try descriptor.readByte(into: &bytes, at: index)
        } catch {
            throw .failed(error)
        }
    }
}

func text(of bytes: ArraySlice<UInt8>) throws(AnswerError) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw .notText }
    return text
}

extension OutputSpan where Element == UInt8 {
    /// Lends all the free bytes to be written in place, and keeps the first ones.
    ///
    /// - Parameter body: answers how many it has written.
    mutating func write<E: Error>(
        _ body: (inout MutableSpan<UInt8>) throws(E) -> Int
    ) throws(E) {
        append(repeating: 0, count: freeCapacity)
        let all = count
        var kept = 0
        defer { removeLast(all - kept) }
        var bytes = mutableSpan
        kept = try body(&bytes)
    }
}
