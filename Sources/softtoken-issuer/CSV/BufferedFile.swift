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
    /// Sees all bytes on their way to the disk.
    private let witness: ([UInt8]) -> Void

    init(
        _ path: String, policy: NamePolicy = .replace,
        witness: @escaping ([UInt8]) -> Void = { _ in }
    ) throws(SystemError) {
        file = try NewFile(path, policy: policy)
        self.witness = witness
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
        var left = count ?? .max
        while left > 0 {
            let bytes = try other.nextBytes(limit: min(left, BufferedFile.capacity))
            guard !bytes.isEmpty else { return }
            try write(bytes)
            left -= bytes.count
        }
    }

    /// Writes what is left in the buffer.
    ///
    /// - Throws: `SystemError` (`write`).
    mutating func flush() throws(SystemError) {
        guard !buffer.isEmpty else { return }
        witness(buffer)
        try file.write(buffer.span)
        buffer.removeAll(keepingCapacity: true)
    }

    /// Waits for the disk and moves the file to its place.
    mutating func place() throws(SystemError) {
        try flush()
        try file.place()
    }
}

/// Copies a file with some of its bytes replaced.
///
/// - Throws: `SystemError`.
func copy(
    _ file: borrowing Descriptor, with edits: [RecordEdit], to target: inout BufferedFile
) throws(SystemError) {
    try file.rewind()
    var position = 0
    for edit in edits.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
        try target.copy(file, count: edit.range.lowerBound - position)
        try target.write(edit.bytes)
        try skip(file, count: edit.range.count)
        position = edit.range.upperBound
    }
    try target.copy(file, count: nil)
}

private func skip(_ file: borrowing Descriptor, count: Int) throws(SystemError) {
    var left = count
    while left > 0 {
        let bytes = try file.nextBytes(limit: min(left, 1 << 16))
        guard !bytes.isEmpty else { return }
        left -= bytes.count
    }
}
