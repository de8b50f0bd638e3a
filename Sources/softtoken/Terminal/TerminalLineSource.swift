// Answers that don't come from a terminal: lines of standard input, or of the descriptor that
// --pin-fd names. Bytes go from read(2) into guarded memory, one line and no further: what follows
// may be for another program at the same pipe. Bound by CONTRACT §1 ("Answers").
import Linux
import ProgramSupport
import SoftTokenCore

/// Lines from a descriptor, each read when it is asked for. `question` is as an error names it.
final class LineSource {
    private let descriptor: Descriptor

    /// Reads from a copy of `number`, which stays open for others.
    ///
    /// - Throws: `AuthenticatorError.missing` if it isn't open.
    init(descriptor number: Int32, for question: String) throws(AuthenticatorError) {
        do throws(SystemError) {
            descriptor = try Descriptor(duplicating: number, path: "descriptor \(number)")
        } catch {
            throw .missing(question)
        }
    }

    /// The next line as an ordinary answer, of at most `limit` bytes.
    ///
    /// - Throws: `AuthenticatorError`; `missing` at the end of the input.
    func nextLine(_ question: String, limit: Int) throws(AuthenticatorError) -> String {
        var bytes = [UInt8](repeating: 0, count: limit + 2)
        var span = bytes.mutableSpan
        let count = try readAnswer(question, into: &span)
        return try text(bytes, count, question)
    }

    /// The next line as a secret, without its line end (LF or CR LF).
    ///
    /// - Parameter answer: gets the line; nothing for an empty one, zeroes to the end for one that is
    ///   too long. It has room for its line end, too.
    /// - Throws: `AuthenticatorError`; `missing` at the end of the input.
    func nextSecret(
        _ question: String, into answer: inout OutputSpan<UInt8>
    ) throws(AuthenticatorError) {
        try answer.write { (bytes: inout MutableSpan<UInt8>) throws(AuthenticatorError) in
            try readAnswer(question, into: &bytes)
        }
    }

    /// Reads a line; one CR at its end is dropped.
    ///
    /// - Returns: how many bytes it has; nil for one that is too long.
    private func readAnswer(
        _ question: String, into bytes: inout MutableSpan<UInt8>
    ) throws(AuthenticatorError) -> Int? {
        guard var count = try readLine(question, into: &bytes) else { return nil }
        if count > 0, bytes[count - 1] == UInt8(ascii: "\r") { count -= 1 }
        // One byte for the CR and one for the LF.
        return count <= bytes.count - 2 ? count : nil
    }

    /// Reads up to and including the line's end; returns the bytes before it, nil where there is no
    /// room for them.
    private func readLine(
        _ question: String, into bytes: inout MutableSpan<UInt8>
    ) throws(AuthenticatorError) -> Int? {
        var count = 0
        while try readByte(into: &bytes, at: count) {
            if bytes[count] == UInt8(ascii: "\n") {
                bytes[count] = 0
                return count
            }
            count += 1
            guard count < bytes.count else { return nil }
        }
        // The last line may lack its end; no line at all is a missing answer.
        guard count > 0 else { throw .missing(question) }
        return count
    }

    private func readByte(
        into bytes: inout MutableSpan<UInt8>, at index: Int
    ) throws(AuthenticatorError) -> Bool {
        do throws(SystemError) {
            return try descriptor.readByte(into: &bytes, at: index)
        } catch {
            throw .system(error)
        }
    }
}
