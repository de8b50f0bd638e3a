// JSON written in one way only: no white space, members in the order given, escapes as RFC 8785
// §3.2.2.2 has them. Used by link making and by every `--json` (CONTRACT §3).

extension JSONValue {
    /// The value as one line of JSON, without a line feed.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The value as one line of JSON in UTF-8, without a line feed.
    package var bytes: [UInt8] {
        var output: [UInt8] = []
        write(to: &output)
        return output
    }

    private func write(to output: inout [UInt8]) {
        switch self {
        case .null: output += "null".utf8
        case .bool(let truth): output += (truth ? "true" : "false").utf8
        case .integer(let number):
            precondition(JSONValue.integers.contains(number), "JSON integers are within ±(2^53−1)")
            output += String(number).utf8
        case .string(let text): writeString(text, to: &output)
        case .array(let elements):
            writeList("[", elements, "]", to: &output) { $0.write(to: &$1) }
        case .object(let members):
            writeList("{", members, "}", to: &output) { member, output in
                writeString(member.name, to: &output)
                output.append(UInt8(ascii: ":"))
                member.value.write(to: &output)
            }
        }
    }
}

private func writeList<Element>(
    _ start: Unicode.Scalar, _ elements: [Element], _ end: Unicode.Scalar,
    to output: inout [UInt8], _ write: (Element, inout [UInt8]) -> Void
) {
    output.append(UInt8(ascii: start))
    for (index, element) in elements.enumerated() {
        if index > 0 { output.append(UInt8(ascii: ",")) }
        write(element, &output)
    }
    output.append(UInt8(ascii: end))
}

private func writeString(_ text: String, to output: inout [UInt8]) {
    output.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): output += [UInt8(ascii: "\\"), byte]
        case 0x08: output += "\\b".utf8
        case 0x09: output += "\\t".utf8
        case 0x0A: output += "\\n".utf8
        case 0x0C: output += "\\f".utf8
        case 0x0D: output += "\\r".utf8
        case 0..<0x20:
            output += (byte < 0x10 ? "\\u000" : "\\u00").utf8
            output += String(byte, radix: 16).utf8
        default: output.append(byte)
        }
    }
    output.append(UInt8(ascii: "\""))
}
