// Lines that a command reads: one-time passwords, and keys from a descriptor. Bound by CONTRACT §1
// ("Answers").
import Keystore
import Linux
import ProgramSupport

/// The next line of standard input, asked for if it is a terminal.
///
/// - Returns: nil at the end of the input.
func nextLine(asking question: String) throws(Failure) -> [UInt8]? {
    if isTerminal(0) { output.prompt(output.laidOut("\(question):") + " ") }
    guard let line = try secretLine(from: 0) else { return nil }
    return line.read { line in line.indices.map { line[$0] } }
}

/// The next line of a descriptor, in guarded memory, without its line end.
///
/// - Parameter limit: how many bytes it has at most.
/// - Returns: nil for an empty line and at the end of the input.
func secretLine(from number: Int32, limit: Int = 1023) throws(Failure) -> SecureBytes? {
    guard let input = try? Descriptor(duplicating: number, path: "descriptor \(number)") else {
        throw .usage("descriptor \(number) is not open")
    }
    // And its line end.
    var line = try inMemory(try SecureBytes(count: limit + 2))
    let count = try line.write { (bytes: inout MutableSpan<UInt8>) throws(Failure) in
        try readLine(input, into: &bytes)
    }
    guard count > 0 else { return nil }
    return try line.read { (all) throws(Failure) in
        try inMemory(try SecureBytes(copying: all.extracting(0..<count)))
    }
}

/// Byte by byte: what follows the line may be for another program at the same pipe.
private func readLine(
    _ input: borrowing Descriptor, into bytes: inout MutableSpan<UInt8>
) throws(Failure) -> Int {
    var count = 0
    while count < bytes.count, try fromSystem(try input.readByte(into: &bytes, at: count)) {
        if bytes[count] == UInt8(ascii: "\n") { break }
        count += 1
    }
    if count > 0, bytes[count - 1] == UInt8(ascii: "\r") { count -= 1 }
    guard count <= bytes.count - 2 else {
        throw .rejected("the line on \(input.path) has over \(bytes.count - 2) bytes")
    }
    return count
}
