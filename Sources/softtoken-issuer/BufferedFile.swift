// A new file that is written in large pieces: a link a row would else cost three system calls. For
// records and links alone (XML and CSV that lie in the clear on the disk anyway), not for keys.
import Linux

/// A new file with a buffer before it.
///
/// Dropped without `place()`, it leaves nothing behind.
struct BufferedFile: ~Copyable {
    private static let capacity = 1 << 16

    private var file: NewFile
    private var buffer: [UInt8] = []

    init(_ path: String, policy: NamePolicy = .replace) throws(SystemError) {
        file = try NewFile(path, policy: policy)
        buffer.reserveCapacity(BufferedFile.capacity)
    }

    /// - Throws: `SystemError` (`write`).
    mutating func write(_ bytes: [UInt8]) throws(SystemError) {
        if buffer.count + bytes.count > BufferedFile.capacity { try flush() }
        buffer += bytes
    }

    mutating func write(_ text: String) throws(SystemError) { try write(Array(text.utf8)) }

    /// Copies the next `count` bytes of another file; all that are left for nil.
    mutating func copy(_ other: borrowing Descriptor, count: Int?) throws(SystemError) {
        try flush()
        try softtoken_issuer.copy(other, count: count, to: file)
    }

    /// Waits for the disk and moves the file to its place.
    mutating func place() throws(SystemError) {
        try flush()
        try file.place()
    }

    private mutating func flush() throws(SystemError) {
        try file.write(buffer.span)
        buffer.removeAll(keepingCapacity: true)
    }
}
