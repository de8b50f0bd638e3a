// Files that the user named, in the one error: read, written whole, and written in large pieces, where
// a link a row would else cost three system calls. Records and links alone are buffered (XML and CSV
// that lie in the clear on the disk anyway), not keys. Bound by STYLE 21.
import Linux

/// Writes a new file (0600), whole or not at all; nothing is overwritten.
func writeNewFile(_ path: String, _ bytes: [UInt8]) throws(Failure) {
    var file = try BufferedFile(path, policy: .refuse)
    try file.write(bytes)
    try file.place()
}

/// A new file with a buffer before it.
///
/// Dropped without `place()`, it leaves nothing behind.
struct BufferedFile: ~Copyable {
    private static let capacity = 1 << 16

    private var file: NewFile
    private var buffer: [UInt8] = []

    init(_ path: String, policy: NamePolicy = .replace) throws(Failure) {
        file = try fromSystem(try NewFile(path, policy: policy))
        buffer.reserveCapacity(BufferedFile.capacity)
    }

    mutating func write(_ bytes: [UInt8]) throws(Failure) {
        if buffer.count + bytes.count > BufferedFile.capacity { try flush() }
        buffer += bytes
    }

    mutating func write(_ text: String) throws(Failure) { try write(Array(text.utf8)) }

    /// Copies bytes of another file, as far as it has them.
    mutating func copy(_ other: borrowing Descriptor, _ range: Range<Int>) throws(Failure) {
        var rest = range
        while !rest.isEmpty {
            let bytes = try fromSystem(
                try other.bytes(at: rest.lowerBound, count: min(rest.count, 1 << 16)))
            guard !bytes.isEmpty else { return }
            try write(bytes)
            rest.removeFirst(bytes.count)
        }
    }

    /// Copies the whole of another file with some of its bytes replaced, of which none are replaced twice.
    mutating func copy(_ other: borrowing Descriptor, with edits: [RecordEdit]) throws(Failure) {
        var position = 0
        let places = { (edit: RecordEdit) in (edit.range.lowerBound, edit.range.upperBound) }
        for edit in edits.sorted(by: { places($0) < places($1) }) {
            try copy(other, position..<edit.range.lowerBound)
            try write(edit.bytes)
            position = edit.range.upperBound
        }
        try copy(other, position..<Int.max)
    }

    /// Lends what was written, at its first byte.
    mutating func readBack<R>(
        _ body: (borrowing Descriptor) throws(Failure) -> R
    ) throws(Failure) -> R {
        try flush()
        return try file.withFile { (file) throws(Failure) in
            try fromSystem(try file.rewind())
            return try body(file)
        }
    }

    /// Writes what is left in the buffer.
    private mutating func flush() throws(Failure) {
        guard !buffer.isEmpty else { return }
        try fromSystem(try file.write(buffer.span))
        buffer.removeAll(keepingCapacity: true)
    }

    /// Waits for the disk and moves the file to its place.
    mutating func place() throws(Failure) {
        try flush()
        try fromSystem(try file.place())
    }
}
