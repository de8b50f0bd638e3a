// What manufacturers and hypervisors write where an identifier belongs: the same on many devices,
// so that it would make strangers look alike. Bound by FORMAT.md §2 (the placeholder table).
internal import Linux

func isPlaceholderUUID(_ bytes: [UInt8]) -> Bool {
    isOneByteRepeated(bytes) || repeatedUUIDs.contains(TextAlphabet.hexadecimal.text(bytes))
}

func isPlaceholderSerial(_ serial: [UInt8]) -> Bool {
    let squeezed = serial.filter { byte in
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
    guard squeezed.count >= 4, !isOneByteRepeated(squeezed) else { return true }
    let text = String(decoding: squeezed, as: UTF8.self)
    return text.hasPrefix("123456789") || text.hasPrefix("0123456789")
        || repeatedSerials.contains(text)
}

/// Whether a MAC address stands on many devices, or was drawn by a hypervisor.
func isPlaceholderMAC(_ bytes: [UInt8]) -> Bool {
    let text = TextAlphabet.hexadecimal.text(bytes)
    return isOneByteRepeated(bytes) || repeatedMACs.contains(text)
        || hypervisorPrefixes.contains(String(text.prefix(6)))
}

/// Whether all bytes are the same one; none are too.
func isOneByteRepeated(_ bytes: [UInt8]) -> Bool { bytes.allSatisfy { $0 == bytes[0] } }

// Lists, not sets: a set of strings costs 0.1 ms to begin with, and a list of 38 is searched faster.
private let repeatedUUIDs: [String] = [
    "03000200040005000006000700080009", "00020003000400050006000700080009",
    "4c4c454400002010802080c04f202020", "123456781234567890abcddeefaabbcc",
    "000102030405060708090a0b0c0d0e0f", "030201000504070608090a0b0c0d0e0f",
    "11111111222233334444555555555555",
]

private let repeatedSerials: [String] = [
    "TOBEFILLEDBYOEM", "FILLEDBYOEM", "TBDBYOEM", "DEFAULT", "DEFAULTSTRING",
    "SYSTEMSERIALNUMBER", "SYSSERIAL", "SYSTEMSERIAL", "BASEBOARDSERIALNUMBER",
    "BOARDSERIALNUMBER", "MBSERIAL", "CHASSISSERIALNUMBER", "CHASSISSERIAL", "SERIALNUMBER",
    "SERIAL", "NOTSPECIFIED", "NOTAPPLICABLE", "NOTAVAILABLE", "NOTDEFINED", "NOTSET",
    "NOENCLOSURE", "NONE", "NULL", "EMPTY", "BLANK", "UNKNOWN", "UNDEFINED", "INVALID", "EVAL",
    "TEST", "SERNUM", "MB1234567890", "BSN12345678901234567", "CSN12345678901234567",
    "SSN12345678901234567", "BSS0123456789", "SN1234", "SN12345678",
]

private let repeatedMACs: [String] = [
    "001122334455", "000102030405", "00123456789a", "00e04c680001",
]

/// VirtualBox; VMware (four); Hyper-V; Xen; Parallels.
private let hypervisorPrefixes: [String] = [
    "080027", "000569", "000c29", "001c14", "005056", "00155d", "00163e", "001c42",
]
