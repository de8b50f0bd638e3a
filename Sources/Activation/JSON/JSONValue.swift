// JSON as a value: what the strict reader gives and what the writer takes. Bound by CONTRACT §4
// (strict RFC 8259) and §3 (stable keys, in the order in which they are given).

/// A JSON value; its numbers are integers.
package enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case string(String)
    case array([JSONValue])
    case object([JSONMember])

    /// Every integer in JSON lies within ±(2^53 − 1): RFC 8259 §6.
    package static let integers: ClosedRange<Int64> = -(1 << 53 - 1)...(1 << 53 - 1)

    /// Null where there is nothing.
    package init(_ text: String?) { self = text.map { .string($0) } ?? .null }
    package init(_ number: Int64?) { self = number.map { .integer($0) } ?? .null }
    package init(_ number: Int?) { self = number.map { .integer(Int64($0)) } ?? .null }
    package init(_ truth: Bool?) { self = truth.map { .bool($0) } ?? .null }
}

/// A member of an object.
package struct JSONMember: Equatable, Sendable {
    package let name: String
    package let value: JSONValue

    package init(_ name: String, _ value: JSONValue) {
        self.name = name
        self.value = value
    }
}

/// The members that have a value, in their order.
func members(_ optional: [(name: String, value: JSONValue?)]) -> [JSONMember] {
    optional.compactMap { member in member.value.map { JSONMember(member.name, $0) } }
}

extension String {
    /// Whether this is ASCII text, byte for byte. `==` compares by canonical equivalence, to which
    /// the Kelvin sign is a K.
    func isExactly(_ ascii: String) -> Bool { utf8.elementsEqual(ascii.utf8) }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(elements.map { JSONMember($0.0, $0.1) })
    }
}
