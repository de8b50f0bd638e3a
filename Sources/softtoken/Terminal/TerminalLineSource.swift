// Answers that don't come from a terminal: lines of standard input, or of the descriptor that
// --pin-fd names. Bytes go from read(2) into guarded memory, one line and no further: what follows
// may be for another program at the same pipe. Bound by CONTRACT §1 ("Answers").
import Keystore
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

    /// Reads from an open file.
    init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

    /// The next line as an ordinary answer.
    ///
    /// - Throws: `AnswerError`; `missing` at the end of the input.
    func nextLine(limit: Int) throws(AnswerError) -> String {
        guard let bytes = try nextSecret(limit: limit) else { return "" }
        return try text(of: bytes)
    }

    /// The next line as a secret, without its line end (LF or CR LF).
    ///
    /// - Returns: nil for an empty line.
    /// - Throws: `AnswerError`; `missing` at the end of the input.
    func nextSecret(limit: Int) throws(AnswerError) -> SecureBytes? {
        // One byte for the CR and one for the LF.
        var line = try guardedMemory(limit + 2)
        var count = try line.write { (bytes: inout MutableSpan<UInt8>) throws(AnswerError) in
            try readLine(into: &bytes, limit: limit)
        }
        count -= line.read { count > 0 && $0[count - 1] == UInt8(ascii: "\r") ? 1 : 0 }
        guard count <= limit else { throw .tooLong(limit: limit) }
        return try exactly(count, of: line)
    }

    /// All that is left, as a secret: `--from -`.
    ///
    /// - Returns: nil if nothing is left.
    /// - Throws: `AnswerError`.
    func rest(limit: Int) throws(AnswerError) -> SecureBytes? {
        // Guarded memory is scarce: it grows with what is read, twice as long each time.
        var text = try guardedMemory(min(limit + 1, 65_536))
        var count = 0
        while true {
            count += try text.write { (bytes: inout MutableSpan<UInt8>) throws(AnswerError) in
                do throws(SystemError) {
                    return try descriptor.read(into: &bytes, from: count)
                } catch { throw .failed(error) }
            }
            guard count <= limit else { throw .tooLong(limit: limit) }
            guard count == text.count else { return try exactly(count, of: text) }
            var larger = try guardedMemory(min(limit + 1, count * 2))
            text.read { source in
                larger.write { (target: inout MutableSpan<UInt8>) in
                    for index in source.indices { target[index] = source[index] }
                }
            }
            text = larger
        }
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

/// Zero bytes of guarded memory for an answer.
func guardedMemory(_ count: Int) throws(AnswerError) -> SecureBytes {
    do throws(KeystoreError) { return try SecureBytes(count: count) } catch { throw .noMemory }
}

/// The first `count` bytes as a secret of just that length; nil for none.
func exactly(
    _ count: Int, of bytes: borrowing SecureBytes
) throws(AnswerError) -> SecureBytes? {
    guard count > 0 else { return nil }
    do throws(KeystoreError) {
        return try bytes.read { (all: Span<UInt8>) throws(KeystoreError) in
            try SecureBytes(copying: all.extracting(0..<count))
        }
    } catch {
        throw .noMemory
    }
}

/// An ordinary answer as text.
func text(of bytes: borrowing SecureBytes) throws(AnswerError) -> String {
    let copy = bytes.read { span in span.indices.map { span[$0] } }
    guard let text = String(validating: copy, as: UTF8.self) else { throw .notText }
    return text
}
