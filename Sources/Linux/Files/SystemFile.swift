// Files of the system that this program reads but does not own: /proc, /sys, /etc. Symbolic links
// are followed here, because these trees are made of them; nothing read here is a secret.
internal import Glibc

/// The bytes of a system file, at most `limit`.
///
/// - Throws: `SystemError`; `EFBIG` for a longer file.
public func readSystemFile(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
    let number = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard number >= 0 else { throw .last(.open, path) }
    let file = Descriptor(owning: number, path: path)
    let bytes = try readAll(file, count: limit + 1)
    guard bytes.count <= limit else { throw SystemError(.read, path, code: EFBIG) }
    return bytes
}

extension Descriptor {
    /// Up to `count` bytes from `offset`.
    ///
    /// - Throws: `SystemError` (`read`).
    package borrowing func bytes(at offset: Int, count: Int) throws(SystemError) -> [UInt8] {
        guard lseek(number, off_t(offset), SEEK_SET) >= 0 else { throw .last(.read, path) }
        return try readAll(self, count: count)
    }
}

/// Up to `count` bytes from the current offset.
func readAll(_ file: borrowing Descriptor, count: Int) throws(SystemError) -> [UInt8] {
    var failure: SystemError?
    // Not filled with zeros first: a limit is often far above what a file has.
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        do throws(SystemError) {
            filled = try unsafe file.read(into: UnsafeMutableRawBufferPointer(buffer))
        } catch { failure = error }
    }
    if let failure { throw failure }
    return bytes
}

/// The bytes that hexadecimal digits in either case spell, or nil.
package func bytesFromHexadecimal(_ digits: [UInt8]) -> [UInt8]? {
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 2)
    for index in stride(from: 0, to: digits.count, by: 2) {
        guard let high = hexadecimalValue(digits[index]),
            let low = hexadecimalValue(digits[index + 1])
        else { return nil }
        bytes.append(high << 4 | low)
    }
    return bytes
}

/// The lower-case hexadecimal digits of `bytes`.
package func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}

/// What a hexadecimal digit in either case stands for, or nil.
package func hexadecimalValue(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
}
