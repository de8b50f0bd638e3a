// Where a value writes itself to, as Swift's `Encodable` asks for it. The strict writer of links and
// answers can't be had here: argument-parser's own build doesn't know what that would need.

/// The place of one value: it gets a value without parts, or elements, or members, each a place.
final class Place: Encoder {
    private var single = "{}"
    private var elements: [Place]?
    private var members: [(name: String, place: Place)]?

    /// No error names a path.
    let codingPath: [any CodingKey] = []
    let userInfo: [CodingUserInfoKey: Any] = [:]

    /// JSON (RFC 8259) with sorted members, two spaces a level; the first line has its margin already.
    func text(indent: String) -> String {
        let deeper = indent + "  "
        if let members {
            let lines = members.sorted { $0.name < $1.name }.map {
                "\(deeper)\(quoted($0.name)) : \($0.place.text(indent: deeper))"
            }
            return "{\n\(lines.joined(separator: ",\n"))\n\(indent)}"
        }
        guard let elements else { return single }
        let lines = elements.map { deeper + $0.text(indent: deeper) }
        return "[\n\(lines.joined(separator: ",\n"))\n\(indent)]"
    }

    /// - Throws: `EncodingError` for a number with a fraction, and what `value` throws.
    func take(_ value: some Encodable) throws {
        switch value {
        case let text as String: single = quoted(text)
        case let truth as Bool: single = "\(truth)"
        case let number as any BinaryInteger: single = "\(number)"
        case is any BinaryFloatingPoint:
            throw EncodingError.invalidValue(
                value, .init(codingPath: [], debugDescription: "a number with a fraction"))
        default: try value.encode(to: self)
        }
    }

    func takeNil() { single = "null" }

    func element() -> Place {
        let element = Place()
        elements = (elements ?? []) + [element]
        return element
    }

    func member(_ name: String) -> Place {
        let member = Place()
        members = (members ?? []) + [(name, member)]
        return member
    }

    func container<Key: CodingKey>(keyedBy: Key.Type) -> KeyedEncodingContainer<Key> {
        members = members ?? []
        return KeyedEncodingContainer(Members(place: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        elements = elements ?? []
        return Elements(place: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { Single(place: self) }
}

private struct Members<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let place: Place
    var codingPath: [any CodingKey] { [] }

    func encodeNil(forKey key: Key) { place.member(key.stringValue).takeNil() }
    func encode(_ value: some Encodable, forKey key: Key) throws {
        try place.member(key.stringValue).take(value)
    }
    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> { place.member(key.stringValue).container(keyedBy: type) }
    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        place.member(key.stringValue).unkeyedContainer()
    }
    func superEncoder() -> any Encoder { place.member("super") }
    func superEncoder(forKey key: Key) -> any Encoder { place.member(key.stringValue) }
}

private struct Elements: UnkeyedEncodingContainer {
    let place: Place
    private(set) var count = 0
    var codingPath: [any CodingKey] { [] }

    init(place: Place) { self.place = place }

    private mutating func element() -> Place {
        count += 1
        return place.element()
    }

    mutating func encodeNil() { element().takeNil() }
    mutating func encode(_ value: some Encodable) throws { try element().take(value) }
    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) -> KeyedEncodingContainer<Nested> { element().container(keyedBy: type) }
    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        element().unkeyedContainer()
    }
    mutating func superEncoder() -> any Encoder { element() }
}

private struct Single: SingleValueEncodingContainer {
    let place: Place
    var codingPath: [any CodingKey] { [] }

    func encodeNil() { place.takeNil() }
    func encode(_ value: some Encodable) throws { try place.take(value) }
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
