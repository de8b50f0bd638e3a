// Policies as JSON: in a signed link, and in the administrator's file. Unknown members are
// rejected, because a policy that can't be kept must not be dropped. Bound by CONTRACT §4.
package import Keystore

/// /etc/softtoken/policy.json.
package struct AdministratorPolicy: Equatable, Sendable {
    /// Whether unsigned links may be activated; nil asks for nothing.
    package let unsigned: Bool?
    /// Whether a remote login may open the keystore; nil asks for nothing.
    package let remote: Bool?
    /// The part that a link may ask for too.
    package let policy: TokenPolicy

    /// Parses the file's bytes.
    ///
    /// - Throws: `ActivationError.malformedJSON`, `.unknownMember`, `.rejectedMember`; exit code 78.
    package init(parsing file: Span<UInt8>) throws(ActivationError) {
        let object = try JSONObject(file.publicBytes, as: .policyFile)
        try object.requireOnly(AdministratorPolicy.members, in: .policyFile)
        unsigned = object.has(.unsigned) ? try object.bool(.unsigned) : nil
        remote = object.has(.remote) ? try object.bool(.remote) : nil
        policy = try TokenPolicy(members: object)
    }

    private static let members: [Member] = [.unsigned, .remote, .attempts, .session, .separation]
    /// What a policy may hold.
    package static var memberNames: [String] { members.map(\.rawValue) }

    /// The first member that a policy has not; nil if it has all of them, or is no object.
    package static func unknownMember(in file: [UInt8]) -> String? {
        guard let object = try? JSONObject(file, as: .policyFile) else { return nil }
        return object.names.first { !memberNames.contains($0) }
    }
}

extension TokenPolicy {
    /// A signed link's policy.
    init(_ object: JSONObject) throws(ActivationError) {
        try object.requireOnly([.attempts, .session, .separation], in: .policy)
        try self.init(members: object)
    }

    fileprivate init(members object: JSONObject) throws(ActivationError) {
        self.init()
        if object.has(.attempts) {
            attempts = try object.integer(.attempts, in: TokenPolicy.attemptLimits)
        }
        if object.has(.session) {
            sessionSeconds = try object.integer(.session, in: TokenPolicy.sessionSeconds)
        }
        if object.has(.separation) {
            separation = try object.choice(
                .separation, [("attest", Separation.attest), ("strict", .strict)])
        }
    }

    /// The policy as a signed link has it; nil where it asks for nothing.
    var json: JSONValue? {
        let members = members([
            ("attempts", attempts.map { JSONValue($0) }),
            ("session", sessionSeconds.map { JSONValue($0) }),
            ("separation", separation.map { $0 == .strict ? "strict" : "attest" }),
        ])
        return members.isEmpty ? nil : .object(members)
    }
}

extension Span where Element == UInt8 {
    /// A copy of what is public.
    var publicBytes: [UInt8] { indices.map { self[$0] } }
}
