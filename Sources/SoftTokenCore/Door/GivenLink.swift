// The text of a link on its way in: it may hold a seed, so that it lies in guarded memory from the
// first byte (DESIGN §3, STYLE 8). It can be filled and given to `activate`, and nothing else.
import Activation
import Keystore
import Linux

/// The text that holds an activation link: the link itself, a mail, what a QR code says.
///
/// It can't be copied, printed or read. It is zeroized when it ends.
public struct GivenLink: ~Copyable {
    let text: LinkText

    private init(_ memory: consuming SecureBytes, byteCount: Int) throws(AuthenticatorError) {
        let memory = memory
        do throws(ActivationError) { text = try LinkText(memory, byteCount: byteCount) } catch {
            throw .activation(error)
        }
    }

    /// Takes text that an app writes into guarded memory.
    ///
    /// - Parameters:
    ///   - capacity: room for so many bytes, 16 MiB at most.
    ///   - fill: appends the bytes.
    /// - Throws: what `fill` throws; `rejected` for no text or one that is too long; `failed` where
    ///   there is no guarded memory.
    public init(
        capacity: Int, _ fill: (inout OutputSpan<UInt8>) throws(AuthenticatorError) -> Void
    ) throws(AuthenticatorError) {
        guard (1...LinkText.maximumMailByteCount).contains(capacity) else {
            throw .activation(capacity < 1 ? .noLink : .tooLong)
        }
        var memory = try inKeystore(try SecureBytes(count: capacity))
        let count = try memory.fill(fill)
        try self.init(memory, byteCount: count)
    }

    /// Takes text that lies outside of guarded memory already, and so must hold no seed: an argument
    /// that doesn't look like a link.
    ///
    /// - Throws: as the other way in.
    public init(unguarded text: String) throws(AuthenticatorError) {
        let bytes = Array(text.utf8)
        try self.init(capacity: bytes.count) { (target) throws(AuthenticatorError) in
            for byte in bytes { target.append(byte) }
        }
    }

    /// Reads all that is left at a descriptor: a file, a pipe. It stays open.
    ///
    /// - Parameters:
    ///   - descriptor: its number.
    ///   - path: as an error names it.
    ///   - limit: how many bytes it may have, 16 MiB at most.
    /// - Throws: `rejected` for nothing or more than `limit`; `failed`.
    public init(
        readingFrom descriptor: Int32, path: String, limit: Int = LinkLimits.mailByteCount
    ) throws(AuthenticatorError) {
        let source = try fromSystem(try Descriptor(duplicating: descriptor, path: path))
        // Guarded memory is scarce: it grows with what is read, twice as long each time.
        var memory = try GivenLink.memory(min(limit + 1, 65_536))
        var count = 0
        while true {
            count += try memory.write {
                (bytes: inout MutableSpan<UInt8>)
                    throws(AuthenticatorError) in
                do throws(SystemError) { return try source.read(into: &bytes, from: count) } catch {
                    throw .system(error)
                }
            }
            guard count <= limit else { throw .activation(.tooLong) }
            guard count == memory.count else { break }
            var larger = try GivenLink.memory(min(limit + 1, count * 2))
            memory.read { source in
                larger.write { (target: inout MutableSpan<UInt8>) in
                    for index in source.indices { target[index] = source[index] }
                }
            }
            memory = larger
        }
        try self.init(memory, byteCount: count)
    }

    /// Moves the one argument of this process that looks like a link out of its argument vector, and
    /// overwrites it there; every other one that does is overwritten, too. To be called before
    /// anything else reads the arguments. CONTRACT §1 ("Answers").
    ///
    /// - Returns: nil if no argument looks like a link.
    /// - Throws: `malformedAnswer` for several of them.
    public static func takenFromArguments() throws(AuthenticatorError) -> GivenLink? {
        let positions = ArgumentVector.linkPositions
        defer { for position in positions { ArgumentVector.overwriteLink(at: position) } }
        guard let position = positions.first else { return nil }
        guard positions.count == 1 else {
            throw AuthenticatorError(
                .usage, "there are several links, or other arguments that look like one",
                hint: "give one link at a time")
        }
        let count = ArgumentVector.linkByteCount(at: position)
        var memory = try memory(count)
        memory.write { (target: inout MutableSpan<UInt8>) in
            ArgumentVector.moveLink(at: position, into: &target)
        }
        return try GivenLink(memory, byteCount: count)
    }

    private static func memory(_ count: Int) throws(AuthenticatorError) -> SecureBytes {
        try inKeystore(try SecureBytes(count: count))
    }
}

/// How long the text of a link may be.
public enum LinkLimits {
    /// What is typed, pasted or read from a picture, bytes.
    public static let typedByteCount = 1 << 20
    /// A mail in a file, with a logo and a PDF attached, bytes.
    public static let mailByteCount = 16 << 20
}
