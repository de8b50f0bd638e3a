// What this device can be recognised by. A value: where it is read is SystemTree's and
// IdentityReading's. Bound by DESIGN §6 ("Identity") and FORMAT.md §1, §2.

/// One identifier of a device, in its normal form.
package struct Identifier: Equatable, Comparable, Sendable {
    package let kind: IdentifierKind
    /// FORMAT.md §2; never shown, never written: only its keyed hash leaves the process.
    package let bytes: [UInt8]

    package init(_ kind: IdentifierKind, _ bytes: [UInt8]) {
        self.kind = kind
        self.bytes = bytes
    }

    package static func < (left: Identifier, right: Identifier) -> Bool {
        if left.kind != right.kind { return left.kind.rawValue < right.kind.rawValue }
        return left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}

/// All identifiers of a device, sorted, each once.
package struct DeviceIdentity: Equatable, Sendable {
    /// FORMAT.md §1: more of one kind are dropped, the greatest first. Eight of each of ten
    /// kinds and the longest label still fit in a record.
    package static let limitPerKind = 8

    package let identifiers: [Identifier]
    /// Whether something that everyone may read couldn't be: an identifier may be missing.
    package let isUnreadable: Bool

    package init(_ identifiers: [Identifier], isUnreadable: Bool = false) {
        self.isUnreadable = isUnreadable
        var kept: [Identifier] = []
        for identifier in identifiers.sorted() where identifier != kept.last {
            let count = kept.count { $0.kind == identifier.kind }
            if count < DeviceIdentity.limitPerKind { kept.append(identifier) }
        }
        self.identifiers = kept
    }

    /// Whether anything could be compared that proves a device to be another one.
    package var isRecognisable: Bool {
        identifiers.contains {
            $0.kind.identifierClass == .hardware || $0.kind.identifierClass == .software
        }
    }
}
