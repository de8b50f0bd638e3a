// The small files of the state folder, read as commands read them, from a real folder in memory.
// Bound by Keystore/FORMAT.md §3, §4, §8, §9, §12.
import Glibc
import Linux

@testable import Keystore

let stateTargets = [
    FuzzTarget(name: "state-files") { bytes in
        var input = InputReader(bytes)
        let file = StateFile.allCases[Int(input.byte()) % StateFile.allCases.count]
        let isRepaired = input.byte() & 1 == 1
        let content = Array(input.rest)
        stateFolder.attempt(file, isRepaired ? stateFolder.repaired(file, content) : content)
    }
]

enum StateFile: String, CaseIterable {
    case deviceKey = "device-key"
    case deviceShare = "device-share"
    case logKey = "log-key"
    case tombstone = "erased"
    case attestation
    case request
}

/// A keystore in /dev/shm, one of whose files is replaced by each input and then put back.
private final class StateFolder: @unchecked Sendable {
    private static let machineID = MachineValues([
        .machineID: .bytes(Array("5f0c9be2d14a4c7fb3a86d0275e91b48".utf8))
    ])
    private static let now: Int64 = 1_750_000_000

    private let folders: KeystoreFolders
    private let originals: [StateFile: [UInt8]]
    private let path: String

    init() throws {
        path = "/dev/shm/softtoken-fuzz-\(getpid())"
        guard mkdir(path, 0o700) == 0 else { fatalError("/dev/shm can't be written") }
        folders = try KeystoreFolders.openOrCreate(
            dataPath: path + "/data", statePath: path + "/state")
        let lock = try KeystoreLock.take(folders)
        guard let pin = try PINDigits(Array("8206".utf8).span) else { fatalError("four digits") }
        let reading = ClockReading(
            unixSeconds: StateFolder.now,
            boot: BootTime(bootID: [UInt8](repeating: 1, count: 16), nanoseconds: 1),
            isSynchronized: nil)
        var keystore = try UnlockedKeystore.create(
            pin, folders: folders, lock: lock, machineID: StateFolder.machineID, policyLimit: 10,
            clock: { reading })
        try keystore.save(folders, lock: lock)
        try keystore.keepAttestation(folders, unixSeconds: StateFolder.now)
        try RequestFile.write(
            try RequestKey(), in: folders.state, unixSeconds: StateFolder.now)
        _ = try LogKey.readOrCreate(folders.state)
        var originals: [StateFile: [UInt8]] = [:]
        for file in StateFile.allCases {
            originals[file] = try folders.state.contents(of: file.rawValue, limit: 4096)
        }
        self.originals = originals
        atexit { stateFolder.remove() }
        require(condition() == "locked", "a new keystore is locked")
    }

    func remove() {
        for folder in ["data", "state"] {
            for name in systemFolderNames("\(path)/\(folder)") {
                unlink("\(path)/\(folder)/\(name)")
            }
            rmdir("\(path)/\(folder)")
        }
        rmdir(path)
    }

    /// Content with the checksum or the MAC that belongs there.
    func repaired(_ file: StateFile, _ content: [UInt8]) -> [UInt8] {
        do {
            var content = content
            if [.deviceShare, .tombstone, .attestation].contains(file), content.count >= 24 {
                content.replaceSubrange(8..<24, with: try deviceKey().deviceName)
            }
            if file == .attestation, content.count >= 40,
                let keystore = try folders.data.contents(of: "keystore", limit: 1 << 20)
            {
                content.replaceSubrange(24..<40, with: keystore[56..<72])
            }
            switch file {
            case .deviceKey, .logKey, .request:
                return content + blake2b(content, byteCount: 16)
            case .deviceShare: return try deviceKey().macKey(.deviceShare).authenticated(content)
            case .attestation: return try deviceKey().macKey(.attestation).authenticated(content)
            case .tombstone:
                guard let key = try LogKey.read(folders.state) else { fatalError("no log key") }
                return try key.macKey(.tombstone).authenticated(
                    content, context: try deviceKey().binding.bytes)
            }
        } catch { fatalError("no guarded memory") }
    }

    func attempt(_ file: StateFile, _ content: [UInt8]) {
        do {
            try replace(file, content)
            let found = condition()
            switch file {
            case .deviceKey, .deviceShare:
                require(found != "missing", "a keystore that is there is never called missing")
            case .tombstone:
                require(
                    found == "locked" || found == "erasing", "a tombstone erases or doesn't count")
            case .logKey, .attestation, .request:
                require(found == "locked", "a small file never locks a keystore out")
            }
            if let key = try RequestFile.read(folders.state, unixSeconds: StateFolder.now) {
                require(key.publicKey.count == 32, "a request has a key")
            }
            if let original = originals[file] {
                try replace(file, original)
            } else {
                try folders.state.remove(file.rawValue)
            }
        } catch { fatalError("the folder failed") }
    }

    /// Written in place: the fsync of the ordinary way would be what is measured.
    private func replace(_ file: StateFile, _ content: [UInt8]) throws {
        let name = "\(path)/state/\(file.rawValue)"
        let number = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard number >= 0 else { fatalError("/dev/shm can't be written") }
        try Descriptor(owning: number, path: name).write(content.span)
    }

    private func condition() -> String {
        do throws(KeystoreError) {
            switch try KeystoreCondition.examine(folders, machineID: StateFolder.machineID) {
            case .missing: return "missing"
            case .erased: return "erased"
            case .erasing: return "erasing"
            case .attemptRecordsLost: return "attempt records lost"
            case .locked(let keystore):
                _ = try Attestation.read(folders, of: keystore)
                return "locked"
            }
        } catch {
            switch error {
            case .damaged, .foreign, .deviceKeyMissing: return "damaged"
            default: fatalError("\(error)")
            }
        }
    }

    private func deviceKey() throws -> DeviceKey {
        guard let key = try DeviceKey.read(folders.state),
            let binding = MachineBinding(.machineID, of: StateFolder.machineID)
        else { fatalError("no device key") }
        return try DeviceKey(key, binding: binding)
    }
}

private let stateFolder: StateFolder = {
    do { return try StateFolder() } catch { fatalError("\(error)") }
}()
