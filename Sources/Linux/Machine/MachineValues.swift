// What this machine is bound by: values that lie outside every home, that an ordinary user can read,
// and that stay the same for as long as the system on its disk does. Bound by Device/FORMAT.md §8.

/// The values that a keystore can be bound to.
package struct MachineValues: Equatable, Sendable {
    /// A kind of value; the raw value is its bit in a keystore's header.
    package enum Kind: UInt8, CaseIterable, Sendable {
        /// /etc/machine-id: 32 lower-case hexadecimal digits.
        case machineID = 0x01
        /// The UUID of the file system at `/`: lower-case text.
        case rootUUID = 0x02
        /// The UUID of the partition that it lies on: lower-case text.
        case partitionUUID = 0x04
        /// The serial of the disk that it lies on: upper-case text.
        case diskSerial = 0x08
    }

    private var readings = [FileReading](repeating: .absent, count: Kind.allCases.count)

    /// Made-up values: for tests.
    package init(_ readings: [Kind: FileReading]) {
        for (kind, reading) in readings { self[kind] = reading }
    }

    /// `absent` where this machine has none.
    package private(set) subscript(kind: Kind) -> FileReading {
        get { readings[kind.rawValue.trailingZeroBitCount] }
        set { readings[kind.rawValue.trailingZeroBitCount] = newValue }
    }

    /// This machine's: call it the first time before the file sandbox closes.
    package static func read() -> MachineValues { own }
    private static let own = MachineValues(tree: .real)

    package init(tree: SystemTree) {
        self[.machineID] = tree.machineID
        // Read once for all three: each follows from where the root lies.
        guard let storage = tree.rootStorage else { return }
        self[.rootUUID] = spelled(tree.uuid(of: storage)) { $0.lowercased }
        guard let partition = tree.partition(beneath: storage) else { return }
        self[.partitionUUID] = spelled(tree.partitionUUID(of: partition)) { $0.lowercased }
        self[.diskSerial] = spelled(tree.diskSerial(beneath: partition)) { $0.uppercased }
    }
}

private func spelled(_ name: String?, _ spelling: (UInt8) -> UInt8) -> FileReading {
    spelled(name.map { .bytes(Array($0.utf8)) } ?? .absent, spelling)
}

/// One spelling of what the system writes; none for what can't be a name of something.
private func spelled(_ reading: FileReading, _ spelling: (UInt8) -> UInt8) -> FileReading {
    guard case .bytes(let bytes) = reading else { return reading }
    let text = trimmed(bytes).map(spelling)
    let isText = (4...64).contains(text.count) && text.allSatisfy { $0.isPrintable }
    return isText ? .bytes(text) : .absent
}
