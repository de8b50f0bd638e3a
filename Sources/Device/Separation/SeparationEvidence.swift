// What speaks for this being a prescribing device, in words for a prescriber and names for JSON.
// Bound by DESIGN §6 (`.same` "names the evidence in words") and CONTRACT §3 (`device check`).

/// Which registered device this looks like, and by what.
package struct SeparationEvidence: Equatable, Sendable {
    /// The record's label; "" if it has none, or the marker is damaged.
    package let label: String
    /// In the order of FORMAT.md §1, at least one.
    package let signs: [Sign]

    package init(label: String, signs: [Sign]) {
        self.label = label
        self.signs = signs.sorted { $0.order < $1.order }
    }

    /// For JSON, in a fixed order.
    package var names: [String] { signs.map(\.texts.name) }

    /// "the machine's serial number matches and a network card's address matches"
    package var words: String {
        let clauses = signs.map(\.texts.words)
        guard let last = clauses.last, clauses.count > 1 else { return clauses.first ?? "" }
        return clauses.dropLast().joined(separator: ", ") + " and " + last
    }

    /// The registered device by its label: `"front desk"`, or a phrase where it has none.
    package var deviceName: String {
        label.isEmpty ? "a computer that sends prescriptions" : "\"\(label)\""
    }

    var hasMarker: Bool { signs.contains(.marker) }

    /// Whether all that matches is copied with the image of a system.
    var isOnlySoftware: Bool {
        signs.allSatisfy { sign in
            guard case .identifier(let kind) = sign else { return false }
            return kind.identifierClass == .software || kind.identifierClass == .weak
        }
    }
}
