// A keystore's two folders in a temporary place. Making one costs an Argon2id, so that one is made
// and copied for each test.
import Foundation
import Linux
import OTP

@testable import Keystore

/// What `examine` answered, as a value that can be compared.
enum Judgement: Equatable {
    case missing
    case erased(atUnixSeconds: Int64)
    case erasing
    case attemptRecordsLost
    /// The record's own limit, less its count.
    case locked(attemptsLeft: Int)
    case failed(KeystoreError)

    static let damagedKeystore = Judgement.failed(.damaged(.keystore))
}

/// The condition is not what the test needs.
struct UnexpectedCondition: Error {}

/// A data folder and a state folder, gone with this value.
final class Workspace: Sendable {
    static let pin = "8206"
    static let machineID = machine("5f0c9be2d14a4c7fb3a86d0275e91b48")
    static let otherMachineID = machine("a1b2c3d4e5f60718293a4b5c6d7e8f90")

    private static func machine(_ digits: String) -> MachineValues {
        MachineValues([.machineID: .bytes(Array(digits.utf8))])
    }

    let root: URL
    var data: URL { root.appending(path: "data") }
    var state: URL { root.appending(path: "state") }

    /// Two empty folders.
    init() throws {
        root = FileManager.default.temporaryDirectory
            .appending(path: "softtoken-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: root, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        _ = try KeystoreFolders.openOrCreate(dataPath: data.path, statePath: state.path)
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    /// A copy of every file.
    func copy() throws -> Workspace {
        let copy = try Workspace()
        for (from, to) in [(data, copy.data), (state, copy.state)] {
            for name in try FileManager.default.contentsOfDirectory(atPath: from.path) {
                try FileManager.default.copyItem(
                    at: from.appending(path: name), to: to.appending(path: name))
            }
        }
        return copy
    }

    func folders() throws -> KeystoreFolders {
        guard
            let folders = try KeystoreFolders.open(dataPath: data.path, statePath: state.path)
        else { throw UnexpectedCondition() }
        return folders
    }

    func judge(_ machineID: MachineValues = Workspace.machineID) throws -> Judgement {
        do throws(KeystoreError) {
            guard
                let folders = try KeystoreFolders.open(
                    dataPath: data.path, statePath: state.path)
            else { return .missing }
            return try Judgement(folders, machineID)
        } catch { return .failed(error) }
    }

    /// The keystore, locked, with its folders.
    func withLocked<R>(
        _ body: (consuming LockedKeystore, KeystoreFolders) throws -> R
    ) throws -> R {
        let folders = try folders()
        guard
            case .locked(let locked) = try KeystoreCondition.examine(
                folders, machineID: Workspace.machineID)
        else { throw UnexpectedCondition() }
        return try body(locked, folders)
    }

    /// Unlocks with Argon2id and all, under the lock.
    func withUnlocked<R>(
        pin: String = Workspace.pin, limit: Int = 10, clock: ClockReading = reading(),
        _ body: (
            inout UnlockedKeystore, KeystoreFolders, KeystoreLock
        ) throws -> R
    ) throws -> R {
        let folders = try folders()
        let lock = try KeystoreLock.take(folders)
        guard
            case .locked(let locked) = try KeystoreCondition.examine(
                folders, machineID: Workspace.machineID)
        else { throw UnexpectedCondition() }
        var unlocked = try locked.unlock(
            makePIN(pin), folders: folders, lock: lock, policyLimit: limit, clock: { clock },
            vouch: { _ in })
        return try body(&unlocked, folders, lock)
    }

    /// The files' names, without the lock's.
    func names() throws -> [String] {
        try ["data", "state"].flatMap { folder in
            try FileManager.default.contentsOfDirectory(
                atPath: root.appending(path: folder).path
            ).filter { $0 != "lock" }.map { "\(folder)/\($0)" }
        }.sorted()
    }

    func bytes(_ path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: root.appending(path: path)))
    }

    /// Puts bytes in place of a file, 0600.
    func replace(_ path: String, _ bytes: [UInt8]) throws {
        let url = root.appending(path: path)
        try Data(bytes).write(to: url)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o600], ofItemAtPath: url.path)
    }

    func remove(_ path: String) throws {
        try FileManager.default.removeItem(at: root.appending(path: path))
    }

    /// Writes an attempt record to one folder, or to both.
    func writeRecord(_ record: AttemptRecord, to names: [String] = ["data", "state"]) throws {
        let bytes = try withLocked { locked, _ in try AttemptFiles(locked.deviceKey).bytes(record) }
        for name in names { try replace("\(name)/attempts", bytes) }
    }

    /// The record that counts, and whether a copy is lost.
    func attempts() throws -> AttemptStanding { try withLocked { locked, _ in locked.attempts } }
}

extension Judgement {
    init(
        _ folders: KeystoreFolders, _ machineID: MachineValues
    ) throws(KeystoreError) {
        switch try KeystoreCondition.examine(folders, machineID: machineID) {
        case .missing: self = .missing
        case .erased(let time): self = .erased(atUnixSeconds: time)
        case .erasing: self = .erasing
        case .attemptRecordsLost: self = .attemptRecordsLost
        case .locked(let locked):
            self = .locked(attemptsLeft: locked.attempts.attemptsLeft(policy: 10))
        }
    }
}

/// The error of a step, or nil.
func keystoreError(_ body: () throws -> Void) throws -> KeystoreError? {
    do {
        try body()
        return nil
    } catch let error as KeystoreError { return error }
}

/// A moment: seconds since the boot that one byte names.
func boot(_ seconds: UInt64, id: UInt8 = 1, offset: Int64 = 0) -> BootTime {
    BootTime(
        bootID: [UInt8](repeating: id, count: 16), nanoseconds: seconds * 1_000_000_000,
        offsetNanoseconds: offset)
}

func reading(_ bootSeconds: UInt64 = 100_000, unixSeconds: Int64 = 1_750_000_000) -> ClockReading {
    ClockReading(unixSeconds: unixSeconds, boot: boot(bootSeconds), isSynchronized: true)
}

func newToken(
    _ name: String, _ factor: MovingFactor = .time(stepSeconds: 30),
    algorithm: HashAlgorithm = .sha1, issuer: String? = "Example Clinic",
    policy: TokenPolicy = TokenPolicy()
) -> NewToken {
    NewToken(
        name: name, issuer: issuer, account: "dr.lee", serial: "ST-0001",
        parameters: TokenParameters(
            algorithm: algorithm, digits: DigitCount(6)!, factor: factor),
        activatedUnixSeconds: 1_750_000_000, pendingUntilUnixSeconds: nil,
        expiresUnixSeconds: nil, origin: .unsigned, warnings: [], policy: policy)
}

/// The keystore that is made once: "Pharmacy" (TOTP, RFC 6238's seed) and "Clinic" (HOTP, at 5).
enum SharedKeystore {
    static let requestUnixSeconds: Int64 = 1_750_000_000

    private static let made = Result {
        let workspace = try Workspace()
        let folders = try workspace.folders()
        let lock = try KeystoreLock.take(folders)
        var keystore = try UnlockedKeystore.create(
            makePIN(Workspace.pin), folders: folders, lock: lock,
            machineID: Workspace.machineID, policyLimit: 10, clock: { reading() })
        _ = try keystore.add(newToken("Pharmacy"), seed: publishedSeed(byteCount: 20))
        _ = try keystore.add(
            newToken("Clinic", .counter(5), algorithm: .sha256),
            seed: publishedSeed(byteCount: 32))
        try keystore.save(folders, lock: lock)
        try keystore.resetAttempts(folders, policyLimit: 10, now: reading().boot)
        try keystore.keepAttestation(folders, unixSeconds: 1_750_000_000)
        try RequestFile.write(
            try RequestKey(), in: folders.state, unixSeconds: requestUnixSeconds)
        _ = try LogKey.readOrCreate(folders.state)
        return workspace
    }

    /// A copy to be broken.
    static func copy() throws -> Workspace { try made.get().copy() }

    /// The shared one itself, which nobody writes to.
    static func original() throws -> Workspace { try made.get() }
}
