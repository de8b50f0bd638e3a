// What a command prints with --json: a value of members in the order given, on one line. The writer is
// the one that links are made with. Bound by CONTRACT §3.
import Activation

/// A JSON value to be printed.
public struct JSON: Sendable {
    let value: JSONValue

    private init(_ value: JSONValue) { self.value = value }

    public static let null = JSON(.null)
    public static func text(_ text: String?) -> JSON { JSON(JSONValue(text)) }
    public static func number(_ number: Int64?) -> JSON { JSON(JSONValue(number)) }
    public static func number(_ number: Int?) -> JSON { JSON(JSONValue(number)) }
    /// Null where it isn't known.
    public static func truth(_ truth: Bool?) -> JSON { JSON(JSONValue(truth)) }
    public static func object(_ members: [(String, JSON)]) -> JSON {
        JSON(.object(members.map { JSONMember($0.0, $0.1.value) }))
    }
    public static func array(_ elements: [JSON]) -> JSON { JSON(.array(elements.map(\.value))) }

    /// One line, without its end.
    public var text: String { value.text }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByDictionaryLiteral {
    public init(stringLiteral text: String) { self.init(.string(text)) }
    public init(dictionaryLiteral members: (String, JSON)...) {
        self = .object(members)
    }
}
