// The policy in force, member by member, and who wants it so. Bound by CONTRACT §3 (`status`), §4.
import Activation
import Keystore

/// One member of the policy in force.
public struct PolicyRule: Equatable, Sendable {
    public enum Value: Equatable, Sendable {
        case number(Int)
        case word(String)
        case truth(Bool)
    }

    /// Who asked for it.
    public enum Source: String, Sendable {
        /// Nobody: it holds where nothing is asked for.
        case standard = "default"
        /// /etc/softtoken/policy.json, as it is or as it was last seen.
        case administrator
        /// The link of a token that is here.
        case token
    }

    /// As CONTRACT §4 names it; a session's number is seconds.
    public enum Name: String, Sendable { case attempts, session, separation, unsigned, remote }

    public let name: Name
    public let value: Value
    public let source: Source
}

extension Flow {
    /// The rules, in the order of CONTRACT §4.
    func rules(_ facts: KeystoreFacts) -> [PolicyRule] {
        let administrators = device.policy
        let own = combined(facts.seenPolicy.policy)
        let forbidsUnsigned = facts.seenPolicy.forbidsUnsigned
        let all = combined(facts.policy)
        return [
            PolicyRule(
                name: .attempts, value: .number(all.attemptLimit),
                source: source(all.attempts, own.attempts)),
            PolicyRule(
                name: .session, value: .number(all.sessionLimitSeconds),
                source: source(all.sessionSeconds, own.sessionSeconds)),
            PolicyRule(
                name: .separation, value: .word(all.separation == .strict ? "strict" : "attest"),
                source: source(all.separation, own.separation)),
            PolicyRule(
                name: .unsigned,
                value: .truth(administrators?.unsigned != false && !forbidsUnsigned),
                source: administrators?.unsigned != nil || forbidsUnsigned
                    ? .administrator : .standard),
            PolicyRule(
                name: .remote, value: .truth(administrators?.remote ?? false),
                source: administrators?.remote == nil ? .standard : .administrator),
        ]
    }

    private func source<V: Equatable>(_ inForce: V?, _ administrators: V?) -> PolicyRule.Source {
        guard let inForce else { return .standard }
        return inForce == administrators ? .administrator : .token
    }
}
