// What ties a keystore to the machine that it was made on: values that lie outside of every home.
// Bound by DESIGN §3 ("Machine binding") and FORMAT.md §2.
internal import Linux

/// The values that a keystore is bound to, as its header names them: the bits of
/// `MachineValues.Kind`.
struct BoundValues: OptionSet, Sendable {
    let rawValue: UInt8

    static let machineID = BoundValues(.machineID)
    static let all = BoundValues(MachineValues.Kind.allCases)

    init(rawValue: UInt8) { self.rawValue = rawValue }
    init(_ kind: MachineValues.Kind) { rawValue = kind.rawValue }
    init(_ kinds: [MachineValues.Kind]) { self.init(kinds.map { BoundValues($0) }) }

    /// In the order of their bits.
    var kinds: [MachineValues.Kind] {
        MachineValues.Kind.allCases.filter { contains(BoundValues($0)) }
    }
}

/// What a copied home folder lacks on another machine: FORMAT.md §14.
package enum HomeBinding: Equatable, Sendable {
    case nothing
    /// The machine-id alone, which file names in it may tell.
    case machineID
    /// What names the disk, too, of which the partition's name can be guessed.
    case guessableDisk
    case disk
}

extension BoundValues {
    /// How well these values of a machine bind.
    func strength(on machine: MachineValues) -> HomeBinding {
        guard !subtracting(.machineID).isEmpty else { return isEmpty ? .nothing : .machineID }
        // On an MBR disk it is 32 bits and a number, and no UUID.
        guard contains(BoundValues(.partitionUUID)), !contains(BoundValues(.diskSerial)),
            let name = machine[.partitionUUID].bytes, name.count != 36
        else { return .disk }
        return .guessableDisk
    }
}

/// The hash of those values on one machine.
struct MachineBinding: Equatable, Sendable {
    let values: BoundValues
    /// 32 bytes; all zero where the keystore is bound to nothing.
    let bytes: [UInt8]

    static let unbound = MachineBinding(values: [], bytes: [UInt8](repeating: 0, count: 32))

    private init(values: BoundValues, bytes: [UInt8]) {
        self.values = values
        self.bytes = bytes
    }

    /// The binding to these values.
    ///
    /// - Returns: nil if this machine lacks one of them, or it can't be read.
    init?(_ values: BoundValues, of machine: MachineValues) {
        guard !values.isEmpty else {
            self = .unbound
            return
        }
        var parts = ByteWriter()
        for kind in values.kinds {
            guard let value = machine[kind].bytes else { return nil }
            // A keystore bound to the machine-id alone is hashed as all once were.
            if values != .machineID {
                parts.append(kind.rawValue)
                parts.append(UInt8(value.count))
            }
            parts.append(value)
        }
        let label = values == .machineID ? "softtoken-machine-1" : "softtoken-machine-2"
        self.init(
            values: values,
            bytes: blake2b(parts.bytes, publicKey: Array(label.utf8), byteCount: 32))
    }

    /// The binding of a new keystore: to everything that can be read.
    ///
    /// - Throws: `KeystoreError.machineIDUnreadable`: there is one, and the keystore would lack it.
    static func forNewKeystore(_ machine: MachineValues) throws(KeystoreError) -> MachineBinding {
        if machine[.machineID] == .unreadable { throw .machineIDUnreadable }
        guard let binding = MachineBinding(readable(machine), of: machine) else {
            preconditionFailure("a value that was just read is there")
        }
        return binding
    }

    /// The bindings that a keystore of this machine can have had.
    static func candidates(_ machine: MachineValues) -> [MachineBinding] {
        (0...BoundValues.all.rawValue).compactMap {
            MachineBinding(BoundValues(rawValue: $0), of: machine)
        }.reversed()
    }

    private static func readable(_ machine: MachineValues) -> BoundValues {
        BoundValues(MachineValues.Kind.allCases.filter { machine[$0].bytes != nil })
    }
}
