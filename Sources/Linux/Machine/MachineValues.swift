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

    package enum Reading: Equatable, Sendable {
        case value([UInt8])
        /// This machine has none.
        case none
        /// It is there and can't be read.
        case unreadable
    }

    private var readings = [Reading](repeating: .none, count: Kind.allCases.count)

    /// Made-up values: for tests.
    package init(_ readings: [Kind: Reading]) {
        for (kind, reading) in readings { self[kind] = reading }
    }

    package private(set) subscript(kind: Kind) -> Reading {
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
        let root = tree.uuid(of: storage)
        self[.rootUUID] = Reading(root.map { Array($0.utf8) }, case: { $0.lowercased })
        guard let partition = tree.partition(beneath: storage) else { return }
        let uuid = tree.partitionUUID(of: partition)
        self[.partitionUUID] = Reading(uuid.map { Array($0.utf8) }, case: { $0.lowercased })
        let serial = tree.diskSerial(beneath: partition)
        self[.diskSerial] =
            serial == .unreadable ? .unreadable : Reading(serial.bytes, case: { $0.uppercased })
    }
}

extension MachineValues.Reading {
    /// One spelling of what the system writes; none for what can't be a name of something.
    fileprivate init(_ bytes: [UInt8]?, case spelling: (UInt8) -> UInt8) {
        let text = trimmed(bytes ?? []).map(spelling)
        let isText = (4...64).contains(text.count) && text.allSatisfy(\.isPrintable)
        self = isText ? .value(text) : .none
    }
}
