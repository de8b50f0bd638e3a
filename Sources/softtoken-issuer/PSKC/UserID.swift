// The account in a PSKC file: UserId is a distinguished name (RFC 6030 §4.2, RFC 4514), of which we
// write one attribute, `UID=account`, and read it back; another's name is taken as it stands.
import Linux

/// `UID=account`, with RFC 4514 §2.4's escapes as hexadecimal pairs.
func userID(ofAccount account: String) -> String {
    let bytes = Array(account.utf8)
    let escaped = bytes.enumerated().map { index, byte in
        let isAtEnd = index == 0 || index == bytes.count - 1
        let isSpecial = specials.contains(byte) || isAtEnd && (byte == 0x20 || byte == 0x23)
        return isSpecial ? [UInt8(ascii: "\\")] + hexadecimalPair(byte).utf8 : [byte]
    }
    return "UID=" + String(decoding: escaped.joined(), as: UTF8.self)
}

/// The account of a name that is just one `UID=`; any other name as it stands.
func accountOfUserID(_ name: String) -> String {
    let value = name.dropFirst(4)
    guard name.uppercased().hasPrefix("UID="), let account = unescaped(Array(value.utf8)) else {
        return name
    }
    return account
}

private let specials = Array("\"+,;<>\\".utf8)

/// Two digits, in capitals.
func hexadecimalPair(_ byte: UInt8) -> String {
    TextAlphabet.hexadecimal.text([byte]).uppercased()
}

/// - Returns: nil where another attribute follows, or an escape is none.
private func unescaped(_ value: [UInt8]) -> String? {
    var bytes: [UInt8] = []
    var rest = value[...]
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "\\") else {
            guard !specials.contains(byte) else { return nil }
            bytes.append(byte)
            continue
        }
        if let next = rest.first, specials.contains(next) || [0x20, 0x23, 0x3D].contains(next) {
            bytes.append(next)
            rest.removeFirst()
        } else {
            let pair = TextAlphabet.hexadecimal.bytes(Array(rest.prefix(2)))
            guard let pair, pair.count == 1 else { return nil }
            bytes += pair
            rest.removeFirst(2)
        }
    }
    return String(validating: bytes, as: UTF8.self)
}
