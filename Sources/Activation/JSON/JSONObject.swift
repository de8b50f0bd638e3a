// The members of an object, asked for one by one: what is missing, ill-typed or outside its limits
// is rejected by name (CONTRACT §4).
import Keystore
internal import Linux

/// A member that this module knows; its raw value is its name in JSON.
package enum Member: String, Equatable, Sendable {
    case algorithmName = "alg"
    case mediaType = "typ"
    case key = "jwk"
    case keyType = "kty"
    case curve = "crv"
    case x
    case issuer = "iss"
    case account = "sub"
    case identifier = "jti"
    case issuedAt = "iat"
    case expiration = "exp"
    case token = "st"
    case version = "v"
    case kind, serial, type, algorithm, digits, period, counter
    case seed, by, salt
    case operations = "ops"
    case memory = "mem"
    case nonce, box
    case pending, expires, policy, attempts, session, separation, prescribing
    case name, unsigned, remote
}

/// What a JSON text is the content of.
package enum JSONPart: Equatable, Sendable {
    case header
    case key
    case payload
    case policy
    case issuerFile
    case policyFile
}

/// An object whose members are asked for by name.
struct JSONObject {
    private let members: [JSONMember]

    init(_ members: [JSONMember]) { self.members = members }

    /// Reads JSON that has to be an object.
    init(_ text: [UInt8], as part: JSONPart) throws(ActivationError) {
        let value: JSONValue
        do throws(JSONError) { value = try readJSON(text) } catch {
            throw .malformedJSON(part, error)
        }
        guard case .object(let members) = value else { throw .malformedJSON(part, .malformed) }
        self.members = members
    }

    var names: [String] { members.map(\.name) }

    /// Rejects members that a part must not have.
    func requireOnly(_ allowed: [Member], in part: JSONPart) throws(ActivationError) {
        let isKnown = members.allSatisfy { member in
            allowed.contains { member.name.isExactly($0.rawValue) }
        }
        guard isKnown else { throw .unknownMember(part) }
    }

    /// The value of a member that may be absent.
    func optional(_ member: Member) -> JSONValue? {
        members.first { $0.name.isExactly(member.rawValue) }?.value
    }

    func value(_ member: Member) throws(ActivationError) -> JSONValue {
        guard let value = optional(member) else { throw .missingMember(member) }
        return value
    }

    func object(_ member: Member) throws(ActivationError) -> JSONObject {
        guard case .object(let members) = try value(member) else { throw .rejectedMember(member) }
        return JSONObject(members)
    }

    /// Requires a member to be one ASCII text.
    func require(_ text: String, _ member: Member) throws(ActivationError) {
        try choice(member, [(text, ())])
    }

    /// A member that is one of several ASCII texts.
    func choice<Choice>(
        _ member: Member, _ choices: [(String, Choice)]
    ) throws(ActivationError) -> Choice {
        guard case .string(let found) = try value(member),
            let choice = choices.first(where: { found.isExactly($0.0) })
        else { throw .rejectedMember(member) }
        return choice.1
    }

    /// A member that can be shown: CONTRACT §1, "Text".
    func text(_ member: Member, bytes: ClosedRange<Int>) throws(ActivationError) -> String {
        guard case .string(let text) = try value(member), isAcceptableText(text, bytes: bytes),
            !holdsLink(text)
        else { throw .rejectedMember(member) }
        return text
    }

    /// A member that is bytes in base64url.
    func bytes(_ member: Member, count: ClosedRange<Int>) throws(ActivationError) -> [UInt8] {
        guard case .string(let text) = try value(member),
            let bytes = TextAlphabet.base64URL.bytes(text),
            count.contains(bytes.count)
        else { throw .rejectedMember(member) }
        return bytes
    }

    func integer(
        _ member: Member, in limits: ClosedRange<Int64> = JSONValue.integers
    ) throws(ActivationError) -> Int64 {
        guard case .integer(let number) = try value(member), limits.contains(number) else {
            throw .rejectedMember(member)
        }
        return number
    }

    func integer(_ member: Member, in limits: ClosedRange<Int>) throws(ActivationError) -> Int {
        Int(try integer(member, in: Int64(limits.lowerBound)...Int64(limits.upperBound)))
    }

    func bool(_ member: Member) throws(ActivationError) -> Bool {
        guard case .bool(let truth) = try value(member) else { throw .rejectedMember(member) }
        return truth
    }

    func has(_ member: Member) -> Bool { optional(member) != nil }
}
