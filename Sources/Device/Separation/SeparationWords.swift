// A verdict as `device check` and `status` give it, and as a refusal tells it to a prescriber.
// Bound by CONTRACT §3, DESIGN §1.9 and STYLE 16 (lower case, no full stop).

extension SeparationVerdict {
    /// `separation` in JSON.
    package var name: String {
        switch self {
        case .same: "same"
        case .unverified: "unverified"
        case .separate: "separate"
        }
    }

    /// What matches a record, whether or not it was enough.
    package var evidence: SeparationEvidence? {
        switch self {
        case .same(let evidence): evidence
        case .unverified(let reason): reason.evidence
        case .separate: nil
        }
    }

    /// `evidence` in JSON.
    package var evidenceNames: [String] { evidence?.names ?? [] }

    /// `reason` in JSON, and what a refusal says.
    package var reason: String {
        switch self {
        case .same(let evidence): "this is \(evidence.deviceName): \(evidence.words)"
        case .unverified(let reason): reason.sentence
        case .separate: "this device differs from each registered prescribing computer"
        }
    }

    /// What to do next; nil where there is nothing to do.
    package var advice: String? {
        switch self {
        case .same(let evidence): evidence.advice
        case .unverified(let reason): reason.advice
        case .separate: nil
        }
    }
}

extension SeparationEvidence {
    /// What to do if it is right, and what if it is wrong.
    package var advice: String {
        let right = "use another device for the soft token"
        if hasMarker {
            return right + "; if this computer does not send prescriptions, "
                + "run softtoken device unregister as root"
        }
        if isOnlySoftware {
            return right + "; if this is a copy of that computer's system, "
                + "have its machine-id and its file system's UUID renewed"
        }
        return right + "; if this computer no longer sends prescriptions, "
            + "ask your EPCS administrator for a link without its record"
    }
}
