// The text in which a link arrives: an argument, a line typed, a whole mail. It may hold a seed, so
// that it lies in guarded memory and is read as bytes (DESIGN §3, STYLE 8).
package import Keystore

/// Text that may hold an activation link, in memory that is zeroized when it ends.
package struct LinkText: ~Copyable {
    /// The longest text that is typed or pasted.
    package static let maximumByteCount = 1 << 20
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

    /// Decodes text into new memory.
    ///
    /// - Parameters:
    ///   - capacity: what is decoded has at most as many bytes.
    ///   - fill: writes the bytes and answers how many they are.
    /// - Returns: nil where nothing is left.
    static func decoded(
        capacity: Int, _ fill: (inout MutableSpan<UInt8>) -> Int
    ) throws(ActivationError) -> LinkText? {
        guard capacity > 0 else { return nil }
        var memory = try guarded { () throws(KeystoreError) in
            try SecureBytes(count: capacity)
        }
        let byteCount = memory.write(fill)
        return byteCount > 0 ? try LinkText(memory, byteCount: byteCount) : nil
    }

    /// Copies the text into guarded memory of its own.
    borrowing func copy() throws(ActivationError) -> LinkText {
        try read { (text) throws(ActivationError) in try LinkText(copying: text) }
    }

    /// Lends the text.
    package borrowing func read<R: ~Copyable, E: Error>(
        _ body: (Span<UInt8>) throws(E) -> R
    ) throws(E) -> R {
        let byteCount = byteCount
        return try memory.read { (bytes) throws(E) in try body(bytes.extracting(0..<byteCount)) }
    }
}

extension MutableSpan where Element == UInt8 {
    /// Writes a byte behind the first `count` ones, while there is room.
    mutating func append(_ byte: UInt8, to count: inout Int) {
        guard count < self.count else { return }
        self[count] = byte
        count += 1
    }
}

/// Translates Keystore's one failure into this module's error.
func guarded<R: ~Copyable>(
    _ body: () throws(KeystoreError) -> R
) throws(ActivationError) -> R {
    do throws(KeystoreError) { return try body() } catch { throw .outOfMemory }
}
