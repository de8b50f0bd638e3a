// Standard input, output and error of a command. What a script wants goes to stdout, everything else
// to stderr. Bound by CONTRACT §1 ("Output").
import Activation
import Keystore
import Linux

enum Console {
    /// Writes to standard output.
    ///
    /// - Throws: `Failure` (74).
    static func print(_ text: String) throws(Failure) { try print(Array((text + "\n").utf8)) }

    static func print(_ bytes: [UInt8]) throws(Failure) {
        try Failure.catching(Failure.init(_:)) { () throws(SystemError) in
            try Descriptor(duplicating: 1, path: "standard output").write(bytes.span)
        }
    }

    /// Writes to standard error; that it can't be written to is no failure of the command.
    static func note(_ text: String) { write(text + "\n") }
    static func hint(_ text: String) { note("softtoken-issuer: hint: \(text)") }

    static func report(_ failure: Failure) {
        note("softtoken-issuer: error: \(failure.message)")
        if let text = failure.hint { hint(text) }
    }

    /// Writes to standard error without ending the line.
    static func write(_ text: String) {
        guard let error = try? Descriptor(duplicating: 2, path: "standard error") else { return }
        try? error.write(Array(text.utf8).span)
    }

    /// The next line of standard input, asked for if it is a terminal.
    ///
    /// - Returns: nil at the end of the input.
    /// - Throws: `Failure` (64, 74).
    static func nextLine(asking question: String) throws(Failure) -> [UInt8]? {
        if isTerminal(0) { write("\(question): ") }
        guard let line = try secretLine(from: 0) else { return nil }
        return line.read { line in line.indices.map { line[$0] } }
    }

    /// The next line of a descriptor, in guarded memory, without its line end.
    ///
    /// - Parameter limit: how many bytes it has at most.
    /// - Returns: nil for an empty line and at the end of the input.
    /// - Throws: `Failure` (64, 65, 74).
    static func secretLine(
        from number: Int32, limit: Int = 1023
    ) throws(Failure) -> SecureBytes? {
        guard let input = try? Descriptor(duplicating: number, path: "descriptor \(number)") else {
            throw Failure(.usage, "descriptor \(number) is not open")
        }
        var line = try Failure.catching(Failure.init(_:)) { () throws(KeystoreError) in
            // And its line end.
            try SecureBytes(count: limit + 2)
        }
        let count = try line.write { (bytes: inout MutableSpan<UInt8>) throws(Failure) in
            try readLine(input, into: &bytes)
        }
        guard count > 0 else { return nil }
        return try Failure.catching(Failure.init(_:)) { () throws(KeystoreError) in
            try line.read { (all) throws(KeystoreError) in
                try SecureBytes(copying: all.extracting(0..<count))
            }
        }
    }

    /// Byte by byte: what follows the line may be for another program at the same pipe.
    private static func readLine(
        _ input: borrowing Descriptor, into bytes: inout MutableSpan<UInt8>
    ) throws(Failure) -> Int {
        var count = 0
        do throws(SystemError) {
            while count < bytes.count, try input.readByte(into: &bytes, at: count) {
                if bytes[count] == UInt8(ascii: "\n") { break }
                count += 1
            }
        } catch { throw Failure(error) }
        if count > 0, bytes[count - 1] == UInt8(ascii: "\r") { count -= 1 }
        guard count <= bytes.count - 2 else {
            throw Failure(.rejected, "the line on \(input.path) has over \(bytes.count - 2) bytes")
        }
        return count
    }
}
