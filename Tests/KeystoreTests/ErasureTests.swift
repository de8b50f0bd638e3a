// DESIGN §4 and FORMAT.md §8: an ordered act that any command resumes, from wherever it was cut.
import Foundation
import Linux
import Testing

@testable import Keystore

/// A keystore whose records are at their limit, and the files of its finished erasure.
private enum ErasedKeystore {
    static let unixSeconds: Int64 = 1_750_000_123

    static let begun = Result {
        let workspace = try SharedKeystore.copy()
        let standing = try workspace.attempts()
        try workspace.writeRecord(standing.record.closed(now: boot(5)))
        return workspace
    }

    static let finished = Result {
        let workspace = try begun.get().copy()
        try finish(workspace, unixSeconds: unixSeconds)
        return workspace
    }

    @discardableResult
    static func finish(
        _ workspace: Workspace, unixSeconds: Int64 = unixSeconds
    ) throws -> Int64? {
        let folders = try workspace.folders()
        let lock = try KeystoreLock.take(folders)
        return try Erasure.complete(
            folders, lock: lock, machineID: Workspace.machineID, vouched: nil,
            unixSeconds: unixSeconds)
    }

    static func reset(_ workspace: Workspace) throws {
        let folders = try workspace.folders()
        let lock = try KeystoreLock.take(folders)
        _ = try Erasure.reset(
            folders, lock: lock, machineID: Workspace.machineID, now: boot(5))
    }

    /// The steps on disk, in their order.
    static let steps: [@Sendable (Workspace) throws -> Void] = [
        { try $0.replace("state/device-share", [UInt8](repeating: 0, count: 88)) },
        { try $0.remove("state/device-share") },
        { try $0.replace("state/request", [UInt8](repeating: 0, count: 64)) },
        { try $0.remove("state/request") },
        { try $0.remove("data/keystore") },
        { try $0.replace("state/erased", finished.get().bytes("state/erased")) },
        { try $0.replace("state/device-key", [UInt8](repeating: 0, count: 56)) },
        { try $0.remove("state/device-key") },
        { try $0.remove("state/attestation") },
        { try $0.remove("data/attempts") },
        { try $0.remove("state/attempts") },
    ]
    static let remains = ["state/erased", "state/log-key"]
}

@Suite("Erasure")
struct ErasureTests {
    @Test("Everything but the tombstone and the log key is gone, and the time is kept")
    func finished() throws {
        let workspace = try ErasedKeystore.finished.get()
        #expect(try workspace.names() == ErasedKeystore.remains)
        let erased = Judgement.erased(atUnixSeconds: ErasedKeystore.unixSeconds)
        #expect(try workspace.judge() == erased)
        #expect(try ErasedKeystore.finish(workspace.copy(), unixSeconds: 5) == 1_750_000_123)
        #expect(try workspace.judge(Workspace.otherMachineID) == .missing)
    }

    @Test("From each cut it goes on to the end", arguments: 0...ErasedKeystore.steps.count)
    func resumed(cut: Int) throws {
        let workspace = try ErasedKeystore.begun.get().copy()
        for step in ErasedKeystore.steps.prefix(cut) { try step(workspace) }
        let isFinished = cut == ErasedKeystore.steps.count
        let erased = Judgement.erased(atUnixSeconds: ErasedKeystore.unixSeconds)
        #expect(try workspace.judge() == (isFinished ? erased : .erasing), "cut \(cut)")
        // Cut after the tombstone it keeps that one's time, before it the finisher's.
        let time = try ErasedKeystore.finish(workspace, unixSeconds: 1_750_999_999)
        #expect(time == (cut >= 6 ? ErasedKeystore.unixSeconds : 1_750_999_999), "cut \(cut)")
        #expect(try workspace.judge() == .erased(atUnixSeconds: #require(time)), "cut \(cut)")
        #expect(try workspace.names() == ErasedKeystore.remains, "cut \(cut)")
    }

    @Test("A half-overwritten device key is cleared away even where the records are gone")
    func halfOverwrittenKeyAlone() throws {
        let workspace = try ErasedKeystore.finished.get().copy()
        try workspace.replace("state/device-key", [UInt8](repeating: 0, count: 56))
        #expect(try workspace.judge() == .erasing)
        try ErasedKeystore.finish(workspace)
        #expect(try workspace.names() == ErasedKeystore.remains)
    }

    @Test("On another machine nothing of it is erased", arguments: 0...6)
    func elsewhere(cut: Int) throws {
        let workspace = try ErasedKeystore.begun.get().copy()
        for step in ErasedKeystore.steps.prefix(cut) { try step(workspace) }
        let names = try workspace.names()
        let folders = try workspace.folders()
        let lock = try KeystoreLock.take(folders)
        let error = try keystoreError {
            _ = try Erasure.complete(
                folders, lock: lock, machineID: Workspace.otherMachineID, vouched: nil,
                unixSeconds: 1)
        }
        #expect(error == (cut < 5 ? .foreign : .changed))
        #expect(try workspace.names() == names)
    }

    @Test("A keystore that asks for no erasure is not touched by one")
    func healthyKeystore() throws {
        let workspace = try SharedKeystore.copy()
        let names = try workspace.names()
        #expect(try keystoreError { try ErasedKeystore.finish(workspace) } == .changed)
        // Nor by the tombstone of an earlier one.
        try workspace.withLocked { locked, folders in
            let key = try LogKey.readOrCreate(folders.state)
            try Tombstone(deviceName: [UInt8](repeating: 1, count: 16), unixSeconds: 1).write(
                folders.state, binding: locked.deviceKey.binding, key: key)
        }
        #expect(try keystoreError { try ErasedKeystore.finish(workspace) } == .changed)
        #expect(try workspace.names() == (names + ["state/erased"]).sorted())
        #expect(try workspace.judge() == .locked(attemptsLeft: 10))
    }

    @Test("An erased keystore that is put back is erased again, whatever its records say")
    func putBack() throws {
        let workspace = try SharedKeystore.copy()
        for name in ErasedKeystore.remains {
            try workspace.replace(name, ErasedKeystore.finished.get().bytes(name))
        }
        #expect(try workspace.judge() == .erasing)
        #expect(try ErasedKeystore.finish(workspace, unixSeconds: 5) == 1_750_000_123)
        #expect(try workspace.names() == ErasedKeystore.remains)
    }

    @Test("A new keystore is made over a tombstone, and the tombstone doesn't count for it")
    func newKeystoreAfterErasure() throws {
        let workspace = try ErasedKeystore.finished.get().copy()
        let folders = try workspace.folders()
        let lock = try KeystoreLock.take(folders)
        var keystore = try UnlockedKeystore.create(
            makePIN(Workspace.pin), folders: folders, lock: lock,
            machineID: Workspace.machineID, policyLimit: 10, clock: { reading() })
        let cut = try workspace.judge()
        #expect(cut == .erased(atUnixSeconds: ErasedKeystore.unixSeconds))
        try keystore.save(folders, lock: lock)
        try keystore.resetAttempts(folders, policyLimit: 10, now: reading().boot)
        #expect(try workspace.judge() == .locked(attemptsLeft: 10))
    }

    @Test("A reset leaves no tombstone, from every state")
    func reset() throws {
        for cut in 0...ErasedKeystore.steps.count {
            let workspace = try ErasedKeystore.begun.get().copy()
            for step in ErasedKeystore.steps.prefix(cut) { try step(workspace) }
            try ErasedKeystore.reset(workspace)
            #expect(try workspace.names() == ["state/log-key"])
            #expect(try workspace.judge() == .missing)
        }
        let healthy = try SharedKeystore.copy()
        try ErasedKeystore.reset(healthy)
        #expect(try healthy.names() == ["state/log-key"])
        let damaged = try SharedKeystore.copy()
        try damaged.replace("data/keystore", [1, 2, 3])
        try ErasedKeystore.reset(damaged)
        #expect(try damaged.names() == ["state/log-key"])
        let foreign = try SharedKeystore.copy()
        try foreign.remove("state/device-key")
        try ErasedKeystore.reset(foreign)
        #expect(try foreign.names() == ["state/log-key"])
        try ErasedKeystore.reset(foreign)
    }

    @Test(
        "What is not a plain file stops it where it lies: the share and the request are gone first",
        arguments: [
            ("data/keystore", ["state/device-key", "state/attempts"]),
            ("state/request", ["data/keystore", "state/device-key", "state/attempts"]),
            ("state/device-key", ["state/attempts"]),
        ])
    func order(blocked: String, stays: [String]) throws {
        let workspace = try SharedKeystore.copy()
        try workspace.remove(blocked)
        let blocker = workspace.root.appending(path: "\(blocked)/x")
        try FileManager.default.createDirectory(at: blocker, withIntermediateDirectories: true)
        #expect(throws: KeystoreError.self) { try ErasedKeystore.reset(workspace) }
        let names = try workspace.names()
        #expect(stays.allSatisfy(names.contains))
        #expect(!names.contains("state/device-share"))
        #expect(names.contains("state/request") == (blocked == "state/request"))
    }

    @Test("A cut reset is finished as one, without a tombstone", arguments: 0...5)
    func resumedReset(cut: Int) throws {
        let workspace = try SharedKeystore.copy()
        try workspace.writeRecord(workspace.attempts().ofReset(now: boot(5)))
        for step in ErasedKeystore.steps.prefix(cut) { try step(workspace) }
        #expect(try workspace.judge() == .erasing)
        #expect(try ErasedKeystore.finish(workspace) == nil)
        #expect(try workspace.names() == ["state/log-key"])
        #expect(try workspace.judge() == .missing)
    }

    @Test("A reset begins with the records at their limit, so that a cut one goes on")
    func cutReset() throws {
        let workspace = try SharedKeystore.copy()
        // A folder in the keystore's place keeps the reset from going on.
        try workspace.remove("state/device-share")
        let blocker = workspace.root.appending(path: "state/device-share/x")
        try FileManager.default.createDirectory(at: blocker, withIntermediateDirectories: true)
        // The share is judged last, so that the records are written only where it is whole.
        #expect(throws: KeystoreError.self) { try ErasedKeystore.reset(workspace) }
        try FileManager.default.removeItem(at: blocker.deletingLastPathComponent())
        #expect(try workspace.judge() == .failed(.damaged(.deviceShare)))
        let whole = try SharedKeystore.copy()
        let keystore = try whole.bytes("data/keystore")
        try ErasedKeystore.reset(whole)
        try whole.replace("data/keystore", keystore)
        let folder = whole.root.appending(path: "state").path
        #expect(
            try whole.judge() == .failed(.deviceKeyMissing(folder: folder)),
            "a keystore put back after a reset")
    }
}
