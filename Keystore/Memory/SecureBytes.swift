// Guarded memory: the only place where a secret may lie. Pages of its own (GuardedPages.swift),
// unreadable between uses, zeroized exactly once.
// Bound by DESIGN §3 ("Guarded memory") and STYLE 7, 8.
internal import CSodium
internal import Glibc
package import Linux

/// A secret's bytes in guarded memory.
///
/// It can't be copied, printed, compared with `==` or encoded; its bytes are lent to a closure and
/// can't leave it. Between uses the pages are PROT_NONE, which stops slips, not a debugger: what
/// protects is not having it any more.
@safe package struct SecureBytes: ~Copyable, @unchecked Sendable {
    private var pages: GuardedPages
    /// The length in bytes.
    package let count: Int

    /// Where the secret begins: it ends with its page, so that a byte too far is no byte of this
    /// process.
    private var base: UnsafeMutableRawPointer {
        unsafe pages.start + (pages.byteCount - count)
    }

    /// Allocates `count` zero bytes.
    ///
    /// - Throws: `KeystoreError.outOfMemory`.
    package init(count: Int) throws(KeystoreError) {
        precondition(count > 0, "a secret has at least a byte")
        pages = try GuardedPages(holding: count)
        self.count = count
    }

    /// Fills `count` bytes and leaves them open: for a secret that one use makes and drops. Opening
    /// and closing are a system call each, most of what a short use costs.
    @unsafe static func unclosed(
        count: Int, filling fill: (UnsafeMutableRawBufferPointer) throws(KeystoreError) -> Void
    ) throws(KeystoreError) -> SecureBytes {
        let secret = try SecureBytes(count: count)
        try unsafe fill(UnsafeMutableRawBufferPointer(start: secret.base, count: count))
        return secret
    }

    /// Draws `count` random bytes.
    package init(randomCount count: Int) throws(KeystoreError) {
        try self.init(count: count)
        unsafe withUnsafeMutableBytes { unsafe randombytes_buf($0.baseAddress!, count) }
    }

    /// Copies bytes that already lie in guarded memory.
    package init(copying bytes: Span<UInt8>) throws(KeystoreError) {
        try self.init(count: bytes.count)
        write { (target: inout MutableSpan<UInt8>) in
            for index in bytes.indices { target[index] = bytes[index] }
        }
    }

    /// Lends the bytes for reading. Not reentrant: a read within a read of the same secret would
    /// close the pages under the outer one, and the process would end.
    package borrowing func read<R: ~Copyable, E: Error>(
        _ body: (Span<UInt8>) throws(E) -> R
    ) throws(E) -> R {
        try unsafe withUnsafeBytes { (bytes) throws(E) in
            try body(unsafe Span(_unsafeBytes: bytes))
        }
    }

    /// Lends the bytes for writing.
    package mutating func write<R: ~Copyable, E: Error>(
        _ body: (inout MutableSpan<UInt8>) throws(E) -> R
    ) throws(E) -> R {
        try unsafe withUnsafeMutableBytes { (bytes) throws(E) in
            var span = unsafe MutableSpan<UInt8>(_unsafeBytes: bytes)
            return try body(&span)
        }
    }

    /// Lends the bytes to be filled from the first one on.
    ///
    /// - Returns: how many were.
    package mutating func fill<E: Error>(
        _ body: (inout OutputSpan<UInt8>) throws(E) -> Void
    ) throws(E) -> Int {
        try unsafe withUnsafeMutableBytes { (bytes) throws(E) in
            let buffer = unsafe bytes.bindMemory(to: UInt8.self)
            var span = unsafe OutputSpan(buffer: buffer, initializedCount: 0)
            do throws(E) { try body(&span) } catch {
                _ = unsafe span.finalize(for: buffer)
                throw error
            }
            return unsafe span.finalize(for: buffer)
        }
    }

    /// Fills the memory with the bytes that a text's letters spell, which must be as many.
    ///
    /// - Returns: whether the bits that no byte takes are zero.
    @discardableResult
    package mutating func write(decoding text: Span<UInt8>, as alphabet: TextAlphabet) -> Bool {
        write { (target: inout MutableSpan<UInt8>) in
            var filled = 0
            return alphabet.decode(text) { byte in
                target[filled] = byte
                filled += 1
            }
        }
    }

    /// For a C function that takes a pointer: valid inside the closure only.
    @unsafe package borrowing func withUnsafeBytes<R: ~Copyable, E: Error>(
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        let bytes = unsafe UnsafeRawBufferPointer(start: base, count: count)
        return try pages.whileReadable { () throws(E) in try unsafe body(bytes) }
    }

    /// For a C function that fills a buffer: valid inside the closure only.
    @unsafe package mutating func withUnsafeMutableBytes<R: ~Copyable, E: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        let bytes = unsafe UnsafeMutableRawBufferPointer(start: base, count: count)
        return try pages.whileWritable { () throws(E) in try unsafe body(bytes) }
    }

    /// Whether two secrets are the same, compared in constant time.
    package borrowing func matches(_ other: borrowing SecureBytes) -> Bool {
        guard count == other.count else { return false }
        return unsafe withUnsafeBytes { mine in
            unsafe other.withUnsafeBytes { theirs in
                unsafe sodium_memcmp(mine.baseAddress, theirs.baseAddress, count) == 0
            }
        }
    }

    /// Whether guarded memory is really locked here (`RLIMIT_MEMLOCK` may be too small). For
    /// `status`: a failed mlock is reported, not ignored.
    package static func isLockingAvailable() -> Bool {
        guard let probe = try? GuardedPages(holding: 1) else { return false }
        return probe.isLocked
    }
}
