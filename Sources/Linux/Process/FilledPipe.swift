// What is given to another program on its standard input, without a file and without waiting for it
// to read. Bound by STYLE 10.
internal import Glibc

/// A pipe that holds bytes and is at its end behind them.
///
/// - Parameter bytes: at most 64 KiB, what a pipe holds by pipe(7): more would wait for a reader.
/// - Returns: the end to read from.
/// - Throws: `SystemError` (`start`, `write`).
package func filledPipe(_ bytes: Span<UInt8>) throws(SystemError) -> Descriptor {
    precondition(bytes.count <= 1 << 16, "a pipe holds 64 KiB")
    let pipe = try Pipe("a pipe")
    try pipe.writing.write(bytes)
    return pipe.reading
}
