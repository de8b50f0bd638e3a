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

    private let readings: [Kind: Reading]

    /// Made-up values: for tests.
    package init(_ readings: [Kind: Reading]) { self.readings = readings }

    package subscript(kind: Kind) -> Reading { readings[kind] ?? .none }

    /// Reads this machine's: call it before the file sandbox closes.
    package static func read() -> MachineValues { MachineValues(tree: .real) }

    package init(tree: SystemTree) {
        readings = [.machineID: Reading(MachineID(tree: tree))]
            .merging(tree.storageValues) { first, _ in first }
    }
}

extension MachineValues.Reading {
    fileprivate init(_ machineID: MachineID) {
        switch machineID {
        case .digits(let digits): self = .value(digits)
        case .none: self = .none
        case .unreadable: self = .unreadable
        }
    }

    /// One spelling of what the system writes; none for what can't be a name of something.
    fileprivate init(_ bytes: [UInt8]?, case spelling: (UInt8) -> UInt8) {
        let text = trimmed(bytes ?? []).map(spelling)
        let isText = (4...64).contains(text.count) && text.allSatisfy(\.isPrintable)
        self = isText ? .value(text) : .none
    }
}

extension SystemTree {
    /// Read once for all three: each follows from where the root lies.
    fileprivate var storageValues: [MachineValues.Kind: MachineValues.Reading] {
        guard let storage = rootStorage else { return [:] }
        var values: [MachineValues.Kind: MachineValues.Reading] = [:]
        values[.rootUUID] = .init(uuid(of: storage).map { Array($0.utf8) }, case: \.lowercased)
        guard let partition = partition(beneath: storage) else { return values }
        let uuid = partitionUUID(of: partition)
        values[.partitionUUID] = .init(uuid.map { Array($0.utf8) }, case: \.lowercased)
        let serial = diskSerial(beneath: partition)
        values[.diskSerial] =
            serial == .unreadable ? .unreadable : .init(serial.bytes, case: \.uppercased)
        return values
    }
}
