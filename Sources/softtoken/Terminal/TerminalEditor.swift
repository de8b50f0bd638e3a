// What a key does to the answer being typed. The terminal's own line editing stops at 4,096 bytes
// and echoes; this one works in place on the bytes of guarded memory. Pure: bytes in, step out.
// Bound by DESIGN §8 and STYLE 8.
import ProgramSupport

/// One answer while it is typed.
///
/// The caller reads each byte to `buffer[count]` and calls `take`; the buffer has `limit + 1` bytes.
struct TerminalEditor {
    /// What may be typed, and whether it is shown.
    enum Kind {
        /// One line, echoed.
        case line
        /// One line, nothing shown, not even its length.
        case secret
        /// Lines, pasted in one go; nothing shown.
        case secretText
    }
    /// What the caller has to do.
    enum Step: Equatable {
        case nothing
        /// The byte at `count - 1` was added.
        case added
        /// The last character was taken back; so many columns on the screen.
        case erased(columns: Int)
        /// Enter outside of a paste.
        case lineEnd
        case endOfInput
    }

    let kind: Kind
    let limit: Int
    private(set) var count = 0
    /// Something was typed beyond the limit: the answer must not be used, cut as it is.
    private(set) var isTooLong = false
    private var isPasting = false
    private var sequence = EscapeSequence()

    init(_ kind: Kind, limit: Int) {
        self.kind = kind
        self.limit = limit
    }

    /// Handles the byte at `buffer[count]`.
    mutating func take(_ buffer: inout MutableSpan<UInt8>) -> Step {
        let byte = buffer[count]
        switch sequence.take(byte) {
        case .text: break
        case .partial: return drop(&buffer)
        case .pasteBegins:
            isPasting = true
            return drop(&buffer)
        case .pasteEnds:
            isPasting = false
            return drop(&buffer)
        }
        switch byte {
        case 10, 13: return lineEnd(&buffer)
        case 8, 127: return erase(&buffer)
        case 21: return eraseAll(&buffer)
        case 4: return count == 0 || kind == .secretText ? end(&buffer) : drop(&buffer)
        case 9 where kind == .secretText: return add(&buffer)
        case 0..<32: return drop(&buffer)
        default: return add(&buffer)
        }
    }

    /// Adds a line end that turned out to be part of a paste.
    mutating func addLineEnd(_ buffer: inout MutableSpan<UInt8>) {
        buffer[count] = 10
        _ = add(&buffer)
    }

    private mutating func lineEnd(_ buffer: inout MutableSpan<UInt8>) -> Step {
        if isPasting, kind == .secretText {
            buffer[count] = 10
            return add(&buffer)
        }
        buffer[count] = 0
        return .lineEnd
    }

    /// Ctrl-D: the end of the input where nothing was typed, else the end of the text.
    private func end(_ buffer: inout MutableSpan<UInt8>) -> Step {
        buffer[count] = 0
        return count == 0 ? .endOfInput : .lineEnd
    }

    private mutating func add(_ buffer: inout MutableSpan<UInt8>) -> Step {
        guard count < limit else {
            isTooLong = true
            return drop(&buffer)
        }
        count += 1
        return .added
    }

    private func drop(_ buffer: inout MutableSpan<UInt8>) -> Step {
        buffer[count] = 0
        return .nothing
    }

    /// Takes back one character: its continuation bytes, then its first.
    private mutating func erase(_ buffer: inout MutableSpan<UInt8>) -> Step {
        buffer[count] = 0
        guard count > 0 else { return .nothing }
        var scalar: [UInt8] = []
        repeat {
            count -= 1
            // Only what is shown anyway is copied: to know how wide it stands.
            if kind == .line { scalar.insert(buffer[count], at: 0) }
            let isContinuation = buffer[count] & 0xC0 == 0x80
            buffer[count] = 0
            if !isContinuation { break }
        } while count > 0
        return .erased(columns: columnWidth(String(decoding: scalar, as: UTF8.self)))
    }

    private mutating func eraseAll(_ buffer: inout MutableSpan<UInt8>) -> Step {
        isTooLong = false
        var columns = 0
        buffer[count] = 0
        while count > 0 {
            if case .erased(let more) = erase(&buffer) { columns += more }
        }
        return .erased(columns: columns)
    }
}

/// Recognises escape sequences (ECMA-48 §5.4): arrow keys are dropped, a paste's marks noticed.
struct EscapeSequence {
    enum Meaning { case text, partial, pasteBegins, pasteEnds }
    private enum State {
        case text, escape, oneMore
        case control(Int)
    }

    private var state = State.text

    mutating func take(_ byte: UInt8) -> Meaning {
        switch state {
        case .text:
            guard byte == 0x1B else { return .text }
            state = .escape
        case .escape:
            switch byte {
            case UInt8(ascii: "["): state = .control(0)
            case UInt8(ascii: "O"): state = .oneMore
            // Enter, Ctrl-C's kin and a second Escape are not swallowed by a lone Escape.
            case 0..<32, 127:
                state = byte == 0x1B ? .escape : .text
                return byte == 0x1B ? .partial : .text
            default: state = .text
            }
        case .control(let number): return control(byte, number)
        case .oneMore: state = .text
        }
        return .partial
    }

    private mutating func control(_ byte: UInt8, _ number: Int) -> Meaning {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            state = .control(min(number * 10 + Int(byte - UInt8(ascii: "0")), 1000))
        case 0x40...0x7E:
            state = .text
            if byte == UInt8(ascii: "~"), number == 200 { return .pasteBegins }
            if byte == UInt8(ascii: "~"), number == 201 { return .pasteEnds }
        case 0..<32, 127:
            state = .text
            return .text
        default: break
        }
        return .partial
    }
}
