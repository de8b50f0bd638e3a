// The text in which a link arrives: an argument, a line typed, a whole mail. It may hold a seed, so
// that it lies in guarded memory and is read as bytes (DESIGN §3, STYLE 8).
package import Keystore

/// Text that may hold an activation link, in memory that is zeroized when it ends.
package struct LinkText: ~Copyable {
    /// The longest mail that is read from a file: with a logo and a PDF attached.
    package static let maximumMailByteCount = 16 << 20

    private let memory: SecureBytes
    /// How many bytes of the memory are text.
    package let byteCount: Int

    /// Copies text; whoever lent it overwrites the original.
    ///
    /// - Throws: `ActivationError.noLink` when it is empty, `.tooLong`, `.outOfMemory`.
    package init(copying text: Span<UInt8>) throws(ActivationError) {
        guard text.count > 0 else { throw .noLink }
        guard text.count <= LinkText.maximumMailByteCount else { throw .tooLong }
        memory = try guarded { () throws(KeystoreError) in try SecureBytes(copying: text) }
        byteCount = text.count
    }

    /// Takes over memory whose first `byteCount` bytes were read from a descriptor.
    ///
    /// - Throws: `ActivationError.noLink` when it is empty, `.tooLong`.
    package init(_ memory: consuming SecureBytes, byteCount: Int) throws(ActivationError) {
        precondition((0...memory.count).contains(byteCount), "the text lies in its memory")
        guard byteCount > 0 else { throw .noLink }
        guard byteCount <= LinkText.maximumMailByteCount else { throw .tooLong }
        self.memory = memory
        self.byteCount = byteCount
    }

    /// Writes text into new memory.
    ///
    /// - Parameter capacity: what doesn't fit is left out.
    /// - Returns: nil where nothing is written.
    static func written(
        capacity: Int, _ write: (inout OutputSpan<UInt8>) -> Void
    ) throws(ActivationError) -> LinkText? {
        guard capacity > 0 else { return nil }
        var memory = try guarded { () throws(KeystoreError) in
            try SecureBytes(count: capacity)
        }
        let byteCount = memory.fill(write)
        return byteCount > 0 ? try LinkText(memory, byteCount: byteCount) : nil
    }

    /// Writes a text anew, some of its places otherwise.
    ///
    /// - Parameters:
    ///   - range: where the text stands.
    ///   - replace: writes what belongs in place of what begins at a position, and answers where to
    ///     go on; nil where the byte stays.
    /// - Returns: nil where nothing is left.
    static func rewritten(
        _ text: Span<UInt8>, _ range: Range<Int>? = nil,
        _ replace: (Int, inout OutputSpan<UInt8>) -> Int?
    ) throws(ActivationError) -> LinkText? {
        let range = range ?? text.indices
        return try written(capacity: range.count) { $0.put(text, range, replacing: replace) }
    }

    package borrowing func read<R: ~Copyable, E: Error>(
        _ body: (Span<UInt8>) throws(E) -> R
    ) throws(E) -> R {
        let byteCount = byteCount
        return try memory.read { (bytes) throws(E) in try body(bytes.extracting(0..<byteCount)) }
    }
}

extension OutputSpan where Element == UInt8 {
    /// Appends a byte while there is room.
    mutating func put(_ byte: UInt8) { if !isFull { append(byte) } }
    mutating func put(_ text: String) { for byte in text.utf8 { put(byte) } }

    /// Appends a text, some of its places otherwise: `LinkText.rewritten`.
    mutating func put(
        _ text: Span<UInt8>, _ range: Range<Int>,
        replacing replace: (Int, inout OutputSpan<UInt8>) -> Int?
    ) {
        var position = range.lowerBound
        while position < range.upperBound {
            if let next = replace(position, &self) {
                position = next
            } else {
                put(text[position])
                position += 1
            }
        }
    }
}

/// Translates Keystore's one failure into this module's error.
func guarded<R: ~Copyable>(
    _ body: () throws(KeystoreError) -> R
) throws(ActivationError) -> R {
    do throws(KeystoreError) { return try body() } catch { throw .outOfMemory }
}
