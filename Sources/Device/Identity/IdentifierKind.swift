// What a device can be recognised by: the kinds, their numbers on disk, their names in JSON and
// their words for a prescriber. Bound by FORMAT.md §1 and CONTRACT §3 (`device check`).

/// A kind of identifier; the raw value is its number in a prescribing record.
package enum IdentifierKind: UInt8, CaseIterable, Sendable {
    case machineID = 1
    case bootID = 2
    // 3 is the marker: evidence, never an identifier.
    case productUUID = 4
    case productSerial = 5
    case boardSerial = 6
    case chassisSerial = 7
    case diskSerial = 8
    case rootUUID = 9
    case tpmEndorsementKey = 10
    case macAddress = 11

    /// How much a match of this kind says.
    package enum Class: Sendable {
        /// Stays when the system is installed anew.
        case hardware
        /// Is copied with the image of a system.
        case software
        /// Moves from one device to another with a dock or an adapter.
        case weak
        /// The running kernel: equal is the same boot, different proves nothing.
        case kernel
    }

    package var identifierClass: Class {
        switch self {
        case .machineID, .rootUUID: .software
        case .bootID: .kernel
        case .productUUID, .productSerial, .boardSerial, .chassisSerial, .diskSerial,
            .tpmEndorsementKey:
            .hardware
        case .macAddress: .weak
        }
    }
}

/// One thing that speaks for this being a prescribing device.
package enum Sign: Equatable, Sendable {
    /// /etc/softtoken/prescribing-device is there.
    case marker
    /// An identifier of this kind is the same as in the record.
    case identifier(IdentifierKind)

    /// Its place in every list of evidence: the numbers of FORMAT.md §1.
    package var order: UInt8 {
        switch self {
        case .marker: 3
        case .identifier(let kind): kind.rawValue
        }
    }

    /// Its name in JSON, and what it says to a prescriber: a clause without a full stop.
    package var texts: (name: String, words: String) {
        switch self {
        case .marker: ("marker", "it bears the mark")
        case .identifier(.machineID):
            ("machine-id", "the installed system is the same (machine-id)")
        case .identifier(.bootID): ("boot-id", "it is the same running system")
        case .identifier(.productUUID):
            ("product-uuid", "the machine's hardware number matches")
        case .identifier(.productSerial):
            ("product-serial", "the machine's serial number matches")
        case .identifier(.boardSerial):
            ("board-serial", "the main board's serial number matches")
        case .identifier(.chassisSerial): ("chassis-serial", "the case's serial number matches")
        case .identifier(.diskSerial): ("disk-serial", "a built-in disk's serial number matches")
        case .identifier(.rootUUID): ("root-uuid", "the system's file system is the same")
        case .identifier(.tpmEndorsementKey): ("tpm-ek", "the security chip (TPM) is the same")
        case .identifier(.macAddress): ("mac", "a network card's address matches")
        }
    }
}
