// Why separation could not be shown: each reason with a sentence and what to do about it.
// Bound by DESIGN §6 and §1.9 (what happened, why, what to do next).

/// Why a device is neither the prescribing one for sure nor another one for sure.
package enum UnverifiedReason: Equatable, Sendable {
    /// The system is the same and the hardware is not.
    case clonedImage(SeparationEvidence)
    /// A network card that the prescribing device had, perhaps in a dock.
    case networkCard(SeparationEvidence)
    /// What surrounds the program hides the device.
    case environment(DeviceEnvironment.Finding)
    /// No prescribing device is registered.
    case noRecord
    /// This device shows nothing that it could be recognised by.
    case noIdentifiers
    /// This device and the record with this label ("" if none) share too few kinds.
    case tooLittleInCommon(label: String)

    /// A stable name.
    package var name: String {
        switch self {
        case .clonedImage: "cloned-image"
        case .networkCard: "network-card"
        case .environment(let finding): finding.rawValue
        case .noRecord: "no-record"
        case .noIdentifiers: "no-identifiers"
        case .tooLittleInCommon: "too-little-in-common"
        }
    }

    /// What matched without being enough.
    package var evidence: SeparationEvidence? {
        switch self {
        case .clonedImage(let evidence), .networkCard(let evidence): evidence
        default: nil
        }
    }

    /// What happened and why: one sentence, lower case, no full stop.
    package var sentence: String {
        switch self {
        case .clonedImage(let evidence):
            "this device seems cloned from the same image as \(evidence.deviceName)"
        case .networkCard(let evidence):
            "this device has a network card of \(evidence.deviceName)"
        case .environment(let finding): finding.sentence
        case .noRecord: "no prescribing computer is registered to compare this device with"
        case .noIdentifiers: "this device shows nothing that it could be recognised by"
        case .tooLittleInCommon(let label):
            "this device has too little in common with the record of "
                + SeparationEvidence(label: label, signs: []).deviceName + " to be compared"
        }
    }

    /// What to do before anybody attests: what matched can be taken away. nil where nothing did.
    package var adviceBeforeAttesting: String? { evidence == nil ? nil : advice }

    package var advice: String {
        switch self {
        case .clonedImage:
            "have its machine-id and its file system's UUID renewed, then activate"
        case .networkCard:
            "take off docks and adapters that the prescribing computer uses, then try again"
        case .environment(let finding): finding.advice
        case .noRecord:
            "on the computer you send prescriptions from, run softtoken device register"
        case .noIdentifiers:
            "have a machine-id made for this device (systemd-machine-id-setup)"
        case .tooLittleInCommon:
            "attest that this is another device, or have that computer registered again"
        }
    }
}
