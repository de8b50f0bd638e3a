// The computer's chip, opened once: before the file sandbox closes, and kept. Bound by DESIGN §5, §8.
package import Linux
internal import Synchronization

/// Why the chip holds no share, or gives none.
package enum ChipTrouble: Error, Equatable, Sendable {
    /// There is none.
    case absent
    /// This user may not open it, and is not in the group that may; nil where that can't be told.
    case notPermitted(group: String?)
    /// The owner's authorization is set: nothing can be defined without it.
    case ownerAuthorization
    /// It has no room for two indices more.
    case noRoom
    /// It doesn't count, or doesn't close, as it must.
    case doesNotCount
    /// It answered with another code of the TPM's specification.
    case answered(code: UInt32)
    /// It can't be written to or read, or what it says is not what a chip says.
    case notAnswering
    /// It was busy for two seconds.
    case busy
    /// The PIN was right, and the gate could not be armed again.
    case notArmed

    /// As a header says why no chip holds the share: 1...6. FORMAT.md §5.
    var number: UInt8 {
        switch self {
        case .absent: 1
        case .notPermitted: 2
        case .ownerAuthorization: 3
        case .noRoom: 4
        case .doesNotCount: 5
        case .answered, .notAnswering, .busy, .notArmed: 6
        }
    }

    /// nil for what no header says.
    init?(number: UInt8) {
        let all: [ChipTrouble] = [
            .absent, .notPermitted(group: nil), .ownerAuthorization, .noRoom, .doesNotCount,
            .notAnswering,
        ]
        guard let trouble = all.first(where: { $0.number == number }) else { return nil }
        self = trouble
    }

    /// Why a device node can't be opened.
    init(_ error: SystemError) {
        if error.isPermission {
            self = .notPermitted(group: groupName(ofFile: error.subject))
        } else {
            self = error.isNotFound ? .absent : .notAnswering
        }
    }
}

/// The way to a chip. It opens it when it is first asked for, and holds it open.
package final class ChipDevice: Sendable {
    /// No chip: a sample's, a test's.
    package static let none = ChipDevice { () throws(SystemError) in
        throw SystemError(.open, path, code: SystemError.noSuchFile)
    }

    /// This computer's, behind the kernel's resource manager.
    package static func ofThisComputer() -> ChipDevice {
        ChipDevice { () throws(SystemError) in try openDeviceNode(path) }
    }

    /// Why this user can't open this computer's; nil where that can be. Opens nothing.
    package static var obstacle: ChipTrouble? {
        Linux.obstacle(toDeviceNode: path).map(ChipTrouble.init)
    }

    private static let path = "/dev/tpmrm0"
    private let opening: @Sendable () throws(SystemError) -> Descriptor
    private let held = Mutex(Held())

    private struct Held: ~Copyable {
        var device: Descriptor?
        /// Why it could not be opened: inside of the file sandbox there would be another reason.
        var refusal: SystemError?
    }

    package init(opening: @escaping @Sendable () throws(SystemError) -> Descriptor) {
        self.opening = opening
    }

    /// Opens it, if it is not open yet. Inside of the file sandbox that is too late.
    ///
    /// - Throws: `KeystoreError.chip`; `use` then throws the same.
    package func open() throws(KeystoreError) {
        held.withLock { $0.refusal = nil }
        do throws(SystemError) { _ = try descriptor() } catch { throw .chip(ChipTrouble(error)) }
    }

    /// The chip, with a key made anew that salts sessions. One at a time.
    func use() throws(ChipFault) -> CountingChip {
        let device: Descriptor
        do throws(SystemError) { device = try descriptor() } catch { throw .notOpened(error) }
        return try CountingChip(Chip(device))
    }

    private static func copy(_ number: Int32) throws(SystemError) -> Descriptor {
        try Descriptor(duplicating: number, path: "the TPM")
    }

    private func descriptor() throws(SystemError) -> Descriptor {
        try held.withLock { (held: inout Held) throws(SystemError) -> Descriptor in
            if let refusal = held.refusal { throw refusal }
            if let number = held.device?.number { return try ChipDevice.copy(number) }
            do throws(SystemError) {
                let device = try opening()
                let copy = try ChipDevice.copy(device.number)
                held.device = consume device
                return copy
            } catch {
                held.refusal = error
                throw error
            }
        }
    }
}

extension ChipFault {
    /// In the keystore's words.
    var error: KeystoreError {
        switch self {
        case .answered(.badAuthorization): .chip(.ownerAuthorization)
        case .answered(.noRoom): .chip(.noRoom)
        case .answered(let code): .chip(.answered(code: code.rawValue))
        case .busy: .chip(.busy)
        case .notTheChips, .system: .chip(.notAnswering)
        case .notOpened(let error): .chip(ChipTrouble(error))
        case .notArmed: .chip(.notArmed)
        case .doesNotCount: .chip(.doesNotCount)
        case .ours(let error): error
        case .otherChip: .foreignChip
        case .wrongPIN, .closed, .shareLost: .damaged(.deviceShare)
        }
    }
}
