// A value as JSON, by what Swift's reflection knows of its parts. The strict writer of links and answers
// can't be had here: argument-parser's own build doesn't know what that would need.

/// JSON (RFC 8259) with sorted members, two spaces a level, as `Encodable` makes it where a type leaves
/// that to the compiler: a member has its property's name, and one that is nil is left out.
///
/// - Parameter indent: the margin; the first line has it already.
/// - Throws: `EncodingError` for a number with a fraction; it names no path.
func jsonText(_ value: Any, indent: String = "") throws -> String {
    switch value {
    case let text as String: return quoted(text)
    case let truth as Bool: return "\(truth)"
    case let number as any BinaryInteger: return "\(number)"
    case is any BinaryFloatingPoint:
        throw EncodingError.invalidValue(
            value, .init(codingPath: [], debugDescription: "a number with a fraction"))
    case let word as any RawRepresentable: return try jsonText(word.rawValue, indent: indent)
    default: break
    }
    let deeper = indent + "  "
    func lines(_ texts: [String]) -> String {
        "\n\(texts.map { deeper + $0 }.joined(separator: ",\n"))\n\(indent)"
    }
    let parts = Mirror(reflecting: value)
    switch parts.displayStyle {
    case .optional where isNil(value): return "null"
    case .optional: return try parts.children.map { try jsonText($0.value, indent: indent) }[0]
    case .collection:
        return try "[\(lines(parts.children.map { try jsonText($0.value, indent: deeper) }))]"
    default:
        let members = try members(of: value, parts).sorted { $0.key < $1.key }.map {
            "\(quoted($0.key)) : \(try jsonText($0.value, indent: deeper))"
        }
        return members.isEmpty ? "{}" : "{\(lines(members))}"
    }
}

private func members(of value: Any, _ parts: Mirror) -> [String: Any] {
    switch parts.displayStyle {
    case .dictionary: return value as? [String: Any] ?? [:]
    // A case has its name for a member, and what comes with it under that.
    case .enum:
        guard let chosen = parts.children.first else { return ["\(value)": [String: Any]()] }
        let isTuple = Mirror(reflecting: chosen.value).displayStyle == .tuple
        return [chosen.label ?? "": isTuple ? chosen.value : ["_0": chosen.value]]
    default:
        let present = parts.children.filter { !isNil($0.value) }
        return Dictionary(uniqueKeysWithValues: present.map { ($0.label ?? "", $0.value) })
    }
}

private func isNil(_ value: Any) -> Bool {
    let parts = Mirror(reflecting: value)
    return parts.displayStyle == .optional && parts.children.isEmpty
}

private func quoted(_ text: String) -> String {
    var json = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"", "\\": json += "\\\(scalar)"
        case ..<" ":
            let digits = String(scalar.value, radix: 16)
            json += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: json.unicodeScalars.append(scalar)
        }
    }
    return json + "\""
}
