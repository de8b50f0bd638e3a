// From what the system writes to the bytes that are hashed: one spelling for each identifier, and
// none for what can't recognise a device. Bound by FORMAT.md §2.
internal import Linux

/// The 16 bytes of a UUID written 8-4-4-4-12, one LF after it, or nil.
func normalUUID(_ text: [UInt8]) -> [UInt8]? {
    let line = text.last == UInt8(ascii: "\n") ? text.dropLast() : text[...]
    guard line.count == 36 else { return nil }
    var digits: [UInt8] = []
    for (index, byte) in line.enumerated() {
        let isDash = byte == UInt8(ascii: "-")
        guard isDash == [8, 13, 18, 23].contains(index) else { return nil }
        if !isDash { digits.append(byte) }
    }
    guard let bytes = TextAlphabet.hexadecimal.bytes(digits), !isPlaceholderUUID(bytes) else {
        return nil
    }
    return bytes
}

/// A serial: trimmed, upper case, 4 to 64 printable bytes, or nil.
func normalSerial(_ text: [UInt8]) -> [UInt8]? {
    let serial = trimmed(text).map(\.uppercased)
    guard (4...64).contains(serial.count), serial.allSatisfy(\.isPrintable),
        !isPlaceholderSerial(serial)
    else { return nil }
    return serial
}

/// A file system's UUID as /dev/disk/by-uuid names it: lower case, digits and dashes, or nil.
func normalUUIDText(_ name: String) -> [UInt8]? {
    let text = name.utf8.map(\.lowercased)
    let digits = text.filter { $0 != UInt8(ascii: "-") }
    guard (4...64).contains(text.count), digits.allSatisfy(TextAlphabet.hexadecimal.holds),
        !isOneByteRepeated(digits)
    else { return nil }
    return text
}

/// A permanent, globally administered MAC address `xx:xx:xx:xx:xx:xx`, one LF after it, or nil.
func normalMAC(_ text: [UInt8]) -> [UInt8]? {
    let parts = trimmed(text).split(
        separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard parts.count == 6, parts.allSatisfy({ $0.count == 2 }),
        let bytes = TextAlphabet.hexadecimal.bytes(parts.flatMap(Array.init)),
        bytes[0] & 3 == 0, !isPlaceholderMAC(bytes)
    else { return nil }
    return bytes
}
