// The controlling terminal as a device: its modes, its size, bytes in and out, one wait for all its
// events. What the modes have to be when is terminal.c's; what is said, the program's. Bound by
// DESIGN §8. It touches /dev/tty alone.
internal import CLinux
internal import Glibc

/// /dev/tty. One exists at a time; its end puts back the modes and the screen.
@safe public struct TerminalDevice: ~Copyable {
    public let descriptor: Descriptor

    /// Opens the controlling terminal.
    ///
    /// - Throws: `SystemError` (`open`); `ENXIO` or `ENOENT` where there is none.
    public init() throws(SystemError) {
        try self.init(
            adopting: Descriptor(opening: "/dev/tty", O_RDWR | O_NOCTTY, path: "terminal"))
    }

    init(adopting descriptor: consuming Descriptor) throws(SystemError) {
        guard st_terminal_adopt(descriptor.number) == 0 else { throw .last(.open, "terminal") }
        self.descriptor = descriptor
    }

    deinit { st_terminal_release() }

    /// What happens to keys that were typed while the terminal was silent already.
    public enum TypedAhead { case kept, dropped }

    /// Switches echo and line editing off. What was typed before is dropped; what is typed from now
    /// on is not shown, between prompts neither, until `restore()` or the end.
    ///
    /// - Throws: `SystemError` (`start`): then no secret may be asked.
    public borrowing func silence(_ typed: TypedAhead = .kept) throws(SystemError) {
        guard st_terminal_silence(typed == .dropped ? 1 : 0) == 0 else {
            throw .last(.start, "terminal without echo")
        }
    }

    public borrowing func enterAlternateScreen() { st_terminal_enter_alternate_screen() }

    /// Asks the terminal to mark what is pasted, so that a line end in it can be told from Enter.
    public borrowing func requestBracketedPaste() { st_terminal_request_bracketed_paste() }
    public borrowing func endBracketedPaste() { st_terminal_end_bracketed_paste() }

    /// Puts back the main screen and the modes as they were found.
    public borrowing func restore() { st_terminal_restore() }

    /// Restores, then stops the process as Ctrl-Z does; returns when it is continued.
    public borrowing func stop() { st_terminal_stop() }

    /// Columns and rows; 80 and 24 where the terminal doesn't know.
    public borrowing func size() -> (columns: Int, rows: Int) {
        var columns: Int32 = 0
        var rows: Int32 = 0
        _ = unsafe st_window_size(descriptor.number, &columns, &rows)
        return (columns > 0 ? Int(columns) : 80, rows > 0 ? Int(rows) : 24)
    }

    /// Writes text. A terminal that has gone is noticed by the next `wait`.
    public borrowing func write(_ text: String) {
        // In place: what is drawn holds an OTP, of which an array would be another copy.
        try? descriptor.write(text.utf8.span)
    }

    /// Reads one byte to `buffer[index]`; false when the terminal has gone.
    public borrowing func readByte(
        into buffer: inout MutableSpan<UInt8>, at index: Int
    ) -> Bool {
        (try? descriptor.readByte(into: &buffer, at: index)) ?? false
    }
}

/// Whether a descriptor is a terminal (isatty).
public func isTerminal(_ number: Int32) -> Bool { isatty(number) == 1 }

/// The columns of a terminal; nil where the descriptor is none, or one that doesn't know.
public func terminalColumns(_ number: Int32) -> Int? {
    var columns: Int32 = 0
    var rows: Int32 = 0
    guard isTerminal(number), unsafe st_window_size(number, &columns, &rows) == 0, columns > 0
    else { return nil }
    return Int(columns)
}

extension Descriptor {
    /// A second descriptor for what `number` is open on, above 2 and closed on exec.
    ///
    /// - Throws: `SystemError` (`open`); `EBADF` if it isn't open.
    public init(duplicating number: Int32, path: String) throws(SystemError) {
        let copy = fcntl(number, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { throw .last(.open, path) }
        self.init(owning: copy, path: path)
    }

    /// A second descriptor for the same open file.
    ///
    /// - Throws: `SystemError` (`open`).
    public borrowing func copy() throws(SystemError) -> Descriptor {
        try Descriptor(duplicating: number, path: path)
    }

    /// Fills `buffer` from `start` on: all that there is, or all that has room.
    ///
    /// - Returns: how many bytes were read; fewer than had room at the end of the input.
    /// - Throws: `SystemError` (`read`).
    public borrowing func read(
        into buffer: inout MutableSpan<UInt8>, from start: Int
    ) throws(SystemError) -> Int {
        precondition((0...buffer.count).contains(start), "the bytes have a place")
        return try unsafe buffer.withUnsafeMutableBytes { (bytes) throws(SystemError) in
            try unsafe read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[start...]))
        }
    }

    /// Reads one byte to `buffer[index]`: never past a line's end, so that another program can
    /// read on from the same pipe, and never through a buffer that would keep a copy.
    ///
    /// - Returns: false at the end of the input.
    /// - Throws: `SystemError` (`read`).
    public borrowing func readByte(
        into buffer: inout MutableSpan<UInt8>, at index: Int
    ) throws(SystemError) -> Bool {
        precondition(index >= 0 && index < buffer.count, "the byte has a place")
        let number = self.number
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe Glibc.read(number, bytes.baseAddress! + index, 1)
            }
            if count >= 0 { return count == 1 }
            if errno == EAGAIN {
                _ = waitForEvents(input: number)
            } else if errno != EINTR {
                throw .last(.read, path)
            }
        }
    }
}
