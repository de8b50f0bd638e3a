// Who keeps the device's share of the unlock key: a file, or the chip. Opening, a new PIN, erasure and
// reset ask here and know no chip. Bound by DESIGN §5 and FORMAT.md §4, §15.
internal import Linux

/// Where a keystore's share is, as its header says.
package enum Protector: Equatable, Sendable {
    /// In `device-share`. Why no chip holds it; nil where that is not told.
    case deviceFile(instead: ChipTrouble?)
    /// In the chip: the handle of the pair.
    case chip(handle: UInt32)

    /// As the contract spells it.
    package var name: String { isChip ? "tpm2" : "device-file" }
    package var isChip: Bool {
        if case .chip = self { true } else { false }
    }
}

/// Who is to keep the share of a new keystore, or under a new PIN.
package enum ProtectorWish: Sendable {
    case deviceFile
    case chip
    /// The chip where it passes the probe, else a file.
    case chipIfItCounts
}

/// Why there is no share for a PIN's key.
enum ShareRefusal: Error {
    case wrongPIN
    /// No PIN is tried any more.
    case closed
    /// The PIN was right.
    case afterRightPIN(KeystoreError)
    /// Nobody knows whether it was.
    case unjudged(KeystoreError)
}

/// The keeper of a keystore's share.
enum KeyProtector: ~Copyable {
    case deviceFile(DeviceShare)
    case chip(CountedPair, primaryName: [UInt8], ChipDevice)

    /// - Throws: `KeystoreError.damaged` where the file lacks what the header asks for.
    init(
        _ protector: Protector, _ file: consuming ShareFile, _ device: ChipDevice
    ) throws(KeystoreError) {
        switch protector {
        case .deviceFile:
            guard let share = file.share.take() else { throw .damaged(.deviceShare) }
            self = .deviceFile(DeviceShare(bytes: share))
        case .chip(let handle):
            guard let pair = file.pairs.first(where: { $0.handle == handle }) else {
                throw .damaged(.deviceShare)
            }
            self = .chip(pair, primaryName: file.primaryName, device)
        }
    }

    /// Checks, without a PIN and without a try, that the share is there to be had.
    ///
    /// - Throws: `KeystoreError.foreignChip`, `.chip`.
    borrowing func check() throws(KeystoreError) {
        switch self {
        case .deviceFile: return
        case .chip(let pair, let primaryName, let device):
            do throws(ChipFault) {
                try device.use().confirm(pair, primaryName: primaryName)
            } catch { throw error.error }
        }
    }

    /// The share, for a PIN's key. With the chip that is the try, and wrong keys get none.
    ///
    /// - Parameter tries: what a right PIN leaves for the next time, 1...10.
    borrowing func share(
        _ pinKey: borrowing SecureBytes, tries: Int
    ) throws(ShareRefusal) -> DeviceShare {
        switch self {
        case .deviceFile(let share):
            do throws(KeystoreError) {
                return DeviceShare(bytes: try copy(0..<32, of: share.bytes))
            } catch { throw .unjudged(error) }
        case .chip(let pair, let primaryName, let device):
            do throws(ChipFault) {
                let chip = try device.use()
                try chip.confirm(pair, primaryName: primaryName)
                return DeviceShare(bytes: try chip.open(pair, pinKey: pinKey, tries: tries))
            } catch {
                switch error {
                case .wrongPIN: throw .wrongPIN
                case .closed: throw .closed
                case .shareLost, .notArmed: throw .afterRightPIN(error.error)
                default: throw .unjudged(error.error)
                }
            }
        }
    }

    /// What a commitment that doesn't fit says, once there is a share.
    var mismatch: ShareRefusal {
        switch self {
        case .deviceFile: .wrongPIN
        case .chip: .afterRightPIN(.damaged(.keystore))
        }
    }
}

/// A share that has just been put into its place, and how the header names that place.
struct KeptShare: ~Copyable {
    let protector: Protector
    let share: DeviceShare

    consuming func takeShare() -> DeviceShare { share }

    /// Draws a share and puts it where the wish says. `device-share` names the place before the share
    /// is there, and goes on naming what it named: `ShareFile.settle` takes that out.
    ///
    /// - Parameters:
    ///   - file: what `device-share` says now; empty for a new keystore.
    ///   - tries: what the chip is armed with, 1...10.
    ///   - isTriedOut: the chip holds a share of this keystore already.
    /// - Throws: `KeystoreError.chip` where the wish insists on it; what it was to hold may then be
    ///   there, and `device-share` names it.
    static func made(
        _ wish: ProtectorWish, for pinKey: borrowing SecureBytes, tries: Int,
        beside file: consuming ShareFile, isTriedOut: Bool, in folders: KeystoreFolders,
        _ deviceKey: borrowing DeviceKey
    ) throws(KeystoreError) -> KeptShare {
        var instead: ChipTrouble?
        if wish != .deviceFile {
            do throws(KeystoreError) {
                return try inChip(
                    pinKey, tries: tries, &file, isTriedOut: isTriedOut, folders, deviceKey)
            } catch {
                guard wish == .chipIfItCounts, case .chip(let trouble) = error else { throw error }
                instead = trouble
            }
        }
        let share = try DeviceShare()
        file.share = try copy(0..<32, of: share.bytes)
        try file.write(in: folders.state, deviceKey: deviceKey)
        return KeptShare(protector: .deviceFile(instead: instead), share: share)
    }

    private static func inChip(
        _ pinKey: borrowing SecureBytes, tries: Int, _ file: inout ShareFile, isTriedOut: Bool,
        _ folders: KeystoreFolders, _ deviceKey: borrowing DeviceKey
    ) throws(KeystoreError) -> KeptShare {
        let share = try DeviceShare()
        do throws(ChipFault) {
            let chip = try folders.chip.use()
            guard file.pairs.isEmpty || file.primaryName == chip.primary.name else {
                throw .otherChip
            }
            let pair = try chip.freePair(for: share.bytes)
            file.primaryName = chip.primary.name
            file.pairs.append(pair)
            do throws(KeystoreError) {
                try file.write(in: folders.state, deviceKey: deviceKey)
            } catch { throw .ours(error) }
            if !isTriedOut { try chip.checkCounting(pair, share: share.bytes) }
            try chip.make(pair, share: share.bytes, pinKey: pinKey, tries: tries)
            return KeptShare(protector: .chip(handle: pair.handle), share: share)
        } catch { throw error.error }
    }
}

extension ShareFile {
    /// Whether it holds nothing but what the header asks for.
    func isSettled(for protector: Protector) -> Bool {
        let isShareLeft = share != nil && protector.isChip
        return !isShareLeft && pairs.allSatisfy { protector == .chip(handle: $0.handle) }
    }

    /// Takes out of the chip, and out of the file, what the header doesn't ask for: what a change left
    /// that is done, or that was cut.
    ///
    /// - Throws: `KeystoreError`: the file then still names it.
    static func settle(
        _ protector: Protector, in folders: KeystoreFolders, _ deviceKey: borrowing DeviceKey
    ) throws(KeystoreError) {
        var file = try read(folders.state, deviceKey: deviceKey)
        guard !file.isSettled(for: protector) else { return }
        let left = file.pairs.filter { protector != .chip(handle: $0.handle) }
        if !left.isEmpty { try erase(left, folders.chip) }
        file.pairs.removeAll { left.contains($0) }
        if protector.isChip { file.share = nil }
        if file.pairs.isEmpty { file.primaryName = [] }
        guard !file.pairs.isEmpty || file.share != nil else {
            return try translating { () throws(SystemError) in
                try folders.state.remove(fileName)
            }
        }
        try file.write(in: folders.state, deviceKey: deviceKey)
    }

    /// Erases the share, wherever it is. Of a chip that can't be asked the file goes on naming what is
    /// left in it, for the next creation to take out: it opens nothing without the keystore, and is
    /// counted as ever.
    ///
    /// - Returns: why something is left; nil where nothing is.
    /// - Throws: `KeystoreError.chip` for one that stopped answering: to be tried again.
    static func erase(_ folders: KeystoreFolders) throws(KeystoreError) -> ChipTrouble? {
        if let trouble = try eraseFromChip(folders) {
            try eraseShareAlone(folders.state)
            return trouble
        }
        try translating { () throws(SystemError) in
            try folders.state.overwriteAndRemove(fileName)
        }
        return nil
    }

    /// Takes what the file names out of the chip; the file stays.
    ///
    /// - Returns: why something is left; nil where nothing is.
    static func eraseFromChip(_ folders: KeystoreFolders) throws(KeystoreError) -> ChipTrouble? {
        let pairs = try pairs(folders.state)
        guard !pairs.isEmpty else { return nil }
        do throws(KeystoreError) { try erase(pairs, folders.chip) } catch {
            guard case .chip(let trouble) = error else { throw error }
            switch trouble {
            case .absent, .notPermitted, .ownerAuthorization, .answered: return trouble
            default: throw error
            }
        }
        return nil
    }

    private static func erase(
        _ pairs: [CountedPair], _ device: ChipDevice
    ) throws(KeystoreError) {
        do throws(ChipFault) {
            let chip = try device.use()
            for pair in pairs { try chip.erase(pair) }
        } catch { throw error.error }
    }
}
