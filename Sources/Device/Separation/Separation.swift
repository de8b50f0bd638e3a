// The separation policy: a pure function from what was read to a verdict, tested with made-up
// machines. Bound by 21 CFR 1311.115(b), DESIGN §6 and FORMAT.md §7, whose tables it follows.

/// Whether this device is apart from the one that sends prescriptions.
package enum SeparationVerdict: Equatable, Sendable {
    /// It is the prescribing device, or can't be told from it: refused (80).
    case same(SeparationEvidence)
    /// It can't be shown: the prescriber attests, or policy refuses (81).
    case unverified(UnverifiedReason)
    /// It differs from each registered prescribing device.
    case separate
}

/// Judges the separation of a device.
///
/// - Parameters:
///   - identity: this device.
///   - records: prescribing records of the link or the keystore, in their order there.
///   - marker: /etc/softtoken/prescribing-device of this device.
///   - environment: what surrounds the program.
package func separationVerdict(
    of identity: DeviceIdentity, records: [PrescribingRecord], marker: PrescribingMarker,
    environment: DeviceEnvironment
) -> SeparationVerdict {
    if let evidence = marker.evidence(for: identity) { return .same(evidence) }
    let verdicts = records.map { $0.comparison(with: identity).verdict }
    for case .same(let evidence) in verdicts { return .same(evidence) }
    // What was compared is not all that this device has.
    if identity.isUnreadable { return .unverified(.environment(.unreadable)) }
    for case .unverified(.clonedImage(let evidence)) in verdicts {
        return .unverified(.clonedImage(evidence))
    }
    for case .unverified(.networkCard(let evidence)) in verdicts {
        return .unverified(.networkCard(evidence))
    }
    if let finding = environment.findings.first { return .unverified(.environment(finding)) }
    guard !verdicts.isEmpty else { return .unverified(.noRecord) }
    guard identity.isRecognisable else { return .unverified(.noIdentifiers) }
    return verdicts.first { $0 != .separate } ?? .separate
}

/// Whether the verdict depends on the device's identity: elsewhere it need not be read.
package func isIdentityCompared(
    records: [PrescribingRecord], marker: PrescribingMarker
) -> Bool {
    if case .record = marker { return true }
    return !records.isEmpty
}

/// What one record and one device have in common.
struct RecordComparison: Equatable {
    let label: String
    /// Kinds that both have. A boot-id that differs proves nothing: its class is never counted.
    let comparable: [IdentifierKind]
    /// Kinds of which an identifier is the same.
    let matching: [IdentifierKind]

    /// FORMAT.md §7, first table.
    var verdict: SeparationVerdict {
        if matches(.kernel) || matches(.hardware) { return .same(evidence) }
        if matches(.software) {
            return count(.hardware) >= 2 ? .unverified(.clonedImage(evidence)) : .same(evidence)
        }
        if matches(.weak) { return .unverified(.networkCard(evidence)) }
        guard count(.hardware) + count(.software) >= 2 else {
            return .unverified(.tooLittleInCommon(label: label))
        }
        return .separate
    }

    var signs: [Sign] { matching.map { .identifier($0) } }
    private var evidence: SeparationEvidence { SeparationEvidence(label: label, signs: signs) }

    private func matches(_ wanted: IdentifierKind.Class) -> Bool {
        matching.contains { $0.identifierClass == wanted }
    }

    private func count(_ wanted: IdentifierKind.Class) -> Int {
        comparable.count { $0.identifierClass == wanted }
    }
}

extension PrescribingRecord {
    /// Compares a device with this record, under the record's own salt.
    func comparison(with identity: DeviceIdentity) -> RecordComparison {
        let comparable = identity.identifiers.filter { identifier in
            entries.contains { $0.kind == identifier.kind }
        }
        let matching = comparable.filter { entries.contains(Entry(of: $0, salt: salt)) }
        return RecordComparison(
            label: label, comparable: kinds(of: comparable), matching: kinds(of: matching))
    }

    private func kinds(of identifiers: [Identifier]) -> [IdentifierKind] {
        IdentifierKind.allCases.filter { kind in identifiers.contains { $0.kind == kind } }
    }
}

extension PrescribingMarker {
    /// The marker's evidence: that it is there, and what matches in its record.
    func evidence(for identity: DeviceIdentity) -> SeparationEvidence? {
        switch self {
        case .absent: return nil
        case .damaged: return SeparationEvidence(label: "", signs: [.marker])
        case .record(let record):
            let signs = record.comparison(with: identity).signs
            return SeparationEvidence(label: record.label, signs: [.marker] + signs)
        }
    }
}
