// The argument vector as the kernel laid it out. A link in it may hold a seed, and /proc/PID/cmdline
// shows it to every user: it is moved out and overwritten before anything else reads it, the Swift
// runtime's CommandLine included. Bound by CONTRACT §1 ("Answers") and DESIGN §8.
internal import CLinux
internal import Glibc

/// The process's arguments, read and overwritten in place.
package enum ArgumentVector {
    /// What stands for a link that was moved out. It is no link: nothing can be activated with it.
    package static let placeholder = "LINK"

    /// How many arguments there are, the program's name included.
    package static var count: Int { Int(st_argument_count()) }

    /// The positions, from 1 up, of the arguments that look like a link.
    package static var linkPositions: [Int] {
        (1..<max(1, count)).filter { position in
            withBytes(at: position) { looksLikeLink($0) }
        }
    }

    /// The length in bytes of what `moveLink` will move from this position.
    package static func linkByteCount(at position: Int) -> Int {
        withBytes(at: position) { $0.count - linkStart(in: $0) }
    }

    /// Moves the link at a position into `target` and overwrites it in the vector with the
    /// placeholder and blanks. Of `--option=link` only what follows the equals sign is moved.
    ///
    /// - Parameter target: `linkByteCount(at:)` bytes, in guarded memory.
    package static func moveLink(at position: Int, into target: inout MutableSpan<UInt8>) {
        withMutableBytes(at: position) { bytes in
            let start = linkStart(in: bytes.span)
            precondition(target.count == bytes.count - start, "the target has the link's length")
            for index in start..<bytes.count { target[index - start] = bytes[index] }
            overwrite(&bytes, from: start)
        }
    }

    /// Overwrites a link that nobody takes, a second one for instance.
    package static func overwriteLink(at position: Int) {
        withMutableBytes(at: position) { bytes in
            let start = linkStart(in: bytes.span)
            overwrite(&bytes, from: start)
        }
    }

    /// The arguments without the program's name, for the parser. Call it when every position of
    /// `linkPositions` has been moved or overwritten.
    package static func arguments() -> [String] {
        precondition(linkPositions.isEmpty, "no link becomes a String")
        return (1..<max(1, count)).map { position in
            withBytes(at: position) { bytes in
                String(decoding: trimmed(bytes), as: UTF8.self)
            }
        }
    }

    /// Overwrites the values of an option, `--option value` and `--option=value`, with asterisks.
    package static func overwriteValues(of option: String) {
        let texts = (0..<count).map { position in
            withBytes(at: position) { bytes in bytes.indices.map { bytes[$0] } }
        }
        let name = Array(option.utf8)
        for position in 1..<max(1, count) {
            let start =
                if texts[position].starts(with: name + [UInt8(ascii: "=")]) {
                    name.count + 1
                } else if texts[position - 1] == name { 0 } else { texts[position].count }
            withMutableBytes(at: position) { bytes in
                for index in start..<bytes.count { bytes[index] = UInt8(ascii: "*") }
            }
        }
    }

    /// Whether every argument is UTF-8: one that isn't would be another name or file as a String.
    package static var isText: Bool {
        (1..<max(1, count)).allSatisfy { position in
            withBytes(at: position) { bytes in
                String(validating: trimmed(bytes), as: UTF8.self) != nil
            }
        }
    }

    /// The placeholder where it fits, blanks after it: a zero byte would make more arguments.
    private static func overwrite(_ bytes: inout MutableSpan<UInt8>, from start: Int) {
        let mark = Array(placeholder.utf8)
        for index in start..<bytes.count {
            bytes[index] = index - start < mark.count ? mark[index - start] : UInt8(ascii: " ")
        }
    }

    /// Without the blanks that stand behind a placeholder.
    private static func trimmed(_ bytes: Span<UInt8>) -> [UInt8] {
        let all = bytes.indices.map { bytes[$0] }
        var text = all
        while text.last == UInt8(ascii: " ") { text.removeLast() }
        return text.suffix(placeholder.utf8.count) == Array(placeholder.utf8)[...] ? text : all
    }

    private static func withBytes<R>(at position: Int, _ body: (Span<UInt8>) -> R) -> R {
        precondition(position >= 0 && position < count, "the argument exists")
        guard let argument = unsafe st_arguments()?[position] else { return body([UInt8]().span) }
        let buffer = unsafe UnsafeRawBufferPointer(start: argument, count: strlen(argument))
        return body(unsafe Span(_unsafeBytes: buffer))
    }

    private static func withMutableBytes(
        at position: Int, _ body: (inout MutableSpan<UInt8>) -> Void
    ) {
        precondition(position > 0 && position < count, "the argument exists")
        guard let argument = unsafe st_arguments()?[position] else { return }
        let buffer = unsafe UnsafeMutableRawBufferPointer(start: argument, count: strlen(argument))
        var bytes = unsafe MutableSpan<UInt8>(_unsafeBytes: buffer)
        body(&bytes)
    }
}
