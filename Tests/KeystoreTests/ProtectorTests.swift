// A keystore whose share the chip keeps, on a software TPM: what opens it, what a cut change leaves, and
// what is left in the chip. Bound by DESIGN §5 and FORMAT.md §4, §7, §15.
import Glibc
import Testing

@testable import Keystore
@testable import Linux

@Suite("A keystore in a chip", .serialized)
struct ProtectorTests {
    let software: SoftwareChip
    let workspace: Workspace

    init() throws {
        software = try SoftwareChip()
        workspace = try Workspace()
    }

    /// A new keystore with one token.
    private func create(
        _ wish: ProtectorWish = .chip, pin: String = Workspace.pin, limit: Int = 10,
        _ device: ChipDevice? = nil
    ) throws {
        let folders = try folders(device)
        let lock = try KeystoreLock.take(folders)
        var keystore = try UnlockedKeystore.create(
            makePIN(pin), folders: folders, lock: lock, machineID: Workspace.machineID,
            policyLimit: limit, protector: wish, clock: { reading() })
        _ = try keystore.add(newToken("Pharmacy"), seed: publishedSeed(byteCount: 20))
        try keystore.save(folders, lock: lock)
        try keystore.resetAttempts(folders, policyLimit: limit, now: reading().boot)
    }

    private func folders(_ device: ChipDevice? = nil) throws -> KeystoreFolders {
        let chip = device ?? software.device()
        return try #require(
            try KeystoreFolders.open(
                dataPath: workspace.data.path, statePath: workspace.state.path, chip: chip))
    }

    /// Opens it, and does something.
    private func opened(
        _ pin: String = Workspace.pin, _ device: ChipDevice? = nil, limit: Int = 10,
        at seconds: UInt64 = 100_000,
        _ body: (inout UnlockedKeystore, KeystoreFolders, KeystoreLock) throws -> Void = {
            _, _, _ in
        }
    ) throws -> KeystoreError? {
        let folders = try folders(device)
        let lock = try KeystoreLock.take(folders)
        return try keystoreError {
            guard
                case .locked(let locked) = try KeystoreCondition.examine(
                    folders, machineID: Workspace.machineID, under: lock)
            else { throw UnexpectedCondition() }
            var unlocked = try locked.unlock(
                makePIN(pin), folders: folders, lock: lock, policyLimit: limit,
                clock: { reading(seconds) }, vouch: { _ in })
            do {
                try body(&unlocked, folders, lock)
            } catch {
                try unlocked.resetAttempts(folders, policyLimit: limit, now: reading(seconds).boot)
                throw error
            }
            try unlocked.resetAttempts(folders, policyLimit: limit, now: reading(seconds).boot)
        }
    }

    private func changed(
        from pin: String = Workspace.pin, to new: String, _ wish: ProtectorWish? = nil,
        _ device: ChipDevice? = nil
    ) throws -> KeystoreError? {
        try opened(pin, device) { unlocked, folders, lock in
            try unlocked.setPIN(
                makePIN(new), protector: wish, in: folders, policyLimit: 10)
            try unlocked.save(folders, lock: lock)
        }
    }

    private func left() throws -> Int {
        guard case .locked(let left) = try workspace.judge() else { return 0 }
        return left
    }

    @Test("It opens with its PIN, through power cuts; wrong ones are counted; its limit erases it")
    func opening() throws {
        try create(limit: 3)
        #expect(try software.indexCount() == 2)
        #expect(try workspace.bytes("state/device-share").count == 159)
        #expect(try opened(limit: 3) == nil)
        #expect(try opened("1357") == .wrongPIN(attemptsLeft: 2, delaySeconds: 0))
        try software.cutPower()
        #expect(try opened(limit: 3) == nil)
        #expect(try left() == 3)
        for left in [2, 1] {
            #expect(try opened("1357") == .wrongPIN(attemptsLeft: left, delaySeconds: 0))
        }
        #expect(try opened("1357") == .erasedNow)
        #expect(try workspace.judge() == .erasing)
        do {
            let folders = try folders()
            _ = try Erasure.complete(
                folders, lock: try KeystoreLock.take(folders), machineID: Workspace.machineID,
                vouched: nil, unixSeconds: 1)
        }
        #expect(try software.indexCount() == 0)
    }

    @Test("An old home put back gains no try: the chip closes, and that is told")
    func putBack() throws {
        try create(limit: 4)
        let old = try workspace.copy()
        for _ in 0..<2 {
            _ = try opened("1357", limit: 4)
            _ = try opened("1357", limit: 4)
            for name in try old.names() { try workspace.replace(name, old.bytes(name)) }
        }
        #expect(try left() == 4)
        #expect(try opened(limit: 4) == .closedByChip)
        #expect(try workspace.judge() == .erasing)
    }

    @Test("Without the option a chip that can't be used is done without, and the header says why")
    func fallback() throws {
        let faults: [(ChipDevice, ChipTrouble)] = [
            (.none, .absent),
            (
                ChipDevice { () throws(SystemError) in throw SystemError(.open, "x", code: EACCES)
                },
                .notPermitted(group: nil)
            ),
            (software.device(commands: 3), .notAnswering),
        ]
        for (device, trouble) in faults {
            let other = try ProtectorTests()
            try other.create(.chipIfItCounts, device)
            try other.workspace.withLocked { locked, _ in
                #expect(locked.protector == .deviceFile(instead: trouble))
            }
            #expect(try other.opened("8206", ChipDevice.none) == nil)
            #expect(
                try keystoreError { try ProtectorTests().create(.chip, device) }
                    == .chip(trouble))
        }
        #expect(try software.indexCount() == 0)
    }

    @Test("A new pair that is cut at any command leaves the old one, and nothing in the chip")
    func cutChange() throws {
        let deviceKey = try DeviceKey(
            SecureBytes(randomCount: 32),
            binding: MachineBinding.forNewKeystore(Workspace.machineID))
        let old = try SecureBytes(randomCount: 32)
        let new = try SecureBytes(randomCount: 32)
        let protector = try made(.chip, old, ShareFile(), deviceKey)
        var isDone = false
        for commands in 0..<40 where !isDone {
            let error = try keystoreError {
                let file = try ShareFile.read(folders().state, deviceKey: deviceKey)
                _ = try made(.chip, new, file, deviceKey, software.device(commands: commands))
            }
            isDone = error == nil
            // No resource manager flushes here what a cut left.
            try software.cutPower()
            #expect(isDone || error == .chip(.notAnswering), "\(commands) commands")
            // What the next right PIN does where the keystore is still the old one.
            try ShareFile.settle(protector, in: folders(), deviceKey)
            #expect(try software.indexCount() == 2, "\(commands) commands")
            let file = try ShareFile.read(folders().state, deviceKey: deviceKey)
            #expect(file.pairs.count == 1)
            let keeper = try KeyProtector(protector, file, software.device())
            _ = try keeper.share(old, tries: 10)
        }
        #expect(isDone)
    }

    private func made(
        _ wish: ProtectorWish, _ pinKey: borrowing SecureBytes, _ file: consuming ShareFile,
        _ deviceKey: borrowing DeviceKey, _ device: ChipDevice? = nil
    ) throws -> Protector {
        let kept = try KeptShare.made(
            wish, for: pinKey, tries: 10, beside: file, isTriedOut: true, in: folders(device),
            deviceKey)
        return kept.protector
    }

    @Test("The share moves into the chip and out of it; the other place is empty afterwards")
    func moves() throws {
        try create(.deviceFile)
        #expect(try workspace.bytes("state/device-share").count == 88)
        #expect(try changed(to: "4839", .chip) == nil)
        #expect(try software.indexCount() == 2)
        #expect(try workspace.bytes("state/device-share").count == 159)
        #expect(try opened() == .wrongPIN(attemptsLeft: 9, delaySeconds: 0))
        #expect(try opened("4839") == nil)
        #expect(try changed(from: "4839", to: Workspace.pin, .deviceFile) == nil)
        #expect(try software.indexCount() == 0)
        #expect(try workspace.bytes("state/device-share").count == 88)
        #expect(try opened(Workspace.pin, ChipDevice.none) == nil)
    }

    @Test("An answer that somebody alters spends no attempt here, and after a right PIN it is 69")
    func alteredAnswers() throws {
        try create()
        for (command, trouble) in [
            // Primary, two Names, flush; primary, two Names, two sessions; then GATE, SHARE, PolicyNV.
            (10, ChipTrouble.notAnswering), (12, .notArmed),
        ] {
            let wire = CountingWire(to: try software.connection(), altersAnswer: command)
            #expect(try opened(Workspace.pin, ChipDevice { wire.descriptor() }) == .chip(trouble))
            #expect(try left() == 10)
        }
        #expect(try opened() == nil)
    }

    @Test("A cleared chip is another one, before the PIN; so is a home with an older PIN's pair")
    func otherChip() throws {
        try create()
        let old = try workspace.copy()
        #expect(try changed(to: "4839") == nil)
        for name in try old.names() { try workspace.replace(name, old.bytes(name)) }
        #expect(try opened() == .foreignChip)
        #expect(try left() == 10)
    }

    @Test("A reset takes the indices out, or the next creation does where the chip can't be opened")
    func reset() throws {
        for isThere in [false, true] {
            try create()
            let handles = KeystoreCondition.indicesInChip(try folders())
            do {
                let folders = try folders(isThere ? software.device() : ChipDevice.none)
                let trouble = try Erasure.reset(
                    folders, lock: try KeystoreLock.take(folders),
                    machineID: Workspace.machineID, now: reading().boot)
                #expect(trouble == (isThere ? nil : .absent))
                #expect(KeystoreCondition.indicesInChip(folders) == (isThere ? [] : handles))
            }
            #expect(try workspace.judge() == .missing)
            #expect(try software.indexCount() == (isThere ? 0 : 2))
        }
    }

    @Test("Why a chip could not be opened is what its use says, until it is opened anew")
    func refusal() throws {
        nonisolated(unsafe) var codes = [EIO, EACCES, ENOENT]
        let device = ChipDevice { () throws(SystemError) in
            // One more than is asked for, so that a failure is no crash.
            throw SystemError(.open, "chip", code: codes.count > 1 ? codes.removeFirst() : codes[0])
        }
        for code in [EIO, EACCES] {
            let trouble = ChipTrouble(SystemError(.open, "chip", code: code))
            #expect(throws: KeystoreError.chip(trouble)) { try device.open() }
            #expect(throws: ChipFault.notOpened(SystemError(.open, "chip", code: code))) {
                _ = try device.use()
            }
        }
    }

    @Test("A share beside a pair that a reset can't take out is erased all the same")
    func resetBesideShare() throws {
        try create()
        var file = try workspace.bytes("state/device-share")
        file.replaceSubrange(58..<90, with: [UInt8](repeating: 0xa5, count: 32))
        try workspace.replace("state/device-share", file)
        let folders = try folders(ChipDevice.none)
        _ = try Erasure.reset(
            folders, lock: try KeystoreLock.take(folders), machineID: Workspace.machineID,
            now: reading().boot)
        #expect(try workspace.bytes("state/device-share")[58..<90].allSatisfy { $0 == 0 })
    }

    @Test("A creation that was cut after its pair is taken out of the chip by the next one")
    func cutCreation() throws {
        try create()
        try workspace.remove("data/keystore")
        #expect(try software.indexCount() == 2)
        try create(.deviceFile)
        #expect(try software.indexCount() == 0)
        #expect(try opened() == nil)
    }

    @Test("A gate is armed with the limit in force, and no record promises more than that")
    func limits() throws {
        try create()
        #expect(try opened(limit: 3) == nil)
        // The policy is looser again: until the next right PIN the gate is not.
        for left in [2, 1] {
            #expect(try opened("1357") == .wrongPIN(attemptsLeft: left, delaySeconds: 0))
        }
        #expect(try opened() == nil)
        #expect(try left() == 10)
    }
}
