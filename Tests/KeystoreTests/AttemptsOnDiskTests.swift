// DESIGN §1.5 and §4 on real folders: counted before the try, reset after a right PIN, and never
// bought by a crash, a stale reading or a swapped lock.
import Foundation
import Linux
import Testing

@testable import Keystore

@Suite("Attempts on disk")
struct AttemptsOnDiskTests {
    @Test("A wrong PIN is counted on both copies, a right one resets both")
    func countAndReset() throws {
        let workspace = try SharedKeystore.copy()
        #expect(
            try keystoreError { try workspace.withUnlocked(pin: "8207") { _, _, _ in } }
                == .wrongPIN(attemptsLeft: 9, delaySeconds: 0))
        #expect(try workspace.bytes("data/attempts") == workspace.bytes("state/attempts"))
        #expect(try workspace.attempts().record.count == 1)
        try workspace.withUnlocked { keystore, folders, _ in
            // On disk before the PIN was tried: a kill here costs one.
            #expect(try workspace.attempts().record.count == 2)
            try keystore.resetAttempts(folders, policyLimit: 10, now: reading().boot)
        }
        #expect(try workspace.attempts().record.count == 0)
        #expect(try workspace.bytes("data/attempts") == workspace.bytes("state/attempts"))
        #expect(
            try workspace.names().filter { $0.contains(".") } == [], "a temporary file is left")
    }

    @Test("The last attempt erases, and says so; the wall clock doesn't shorten a delay")
    func upToTheLimit() throws {
        let workspace = try SharedKeystore.copy()
        var bootSeconds: UInt64 = 100_000
        for count in 5...10 {
            if count == 5 {
                try workspace.writeRecord(standing(workspace, count: 4))
            }
            let error = try keystoreError {
                try workspace.withUnlocked(pin: "8207", clock: reading(bootSeconds)) { _, _, _ in }
            }
            guard count < 10 else {
                #expect(error == .erasedNow)
                break
            }
            let delay = 30 << (count - 5)
            #expect(error == .wrongPIN(attemptsLeft: 10 - count, delaySeconds: delay))
            let bytes = try workspace.bytes("state/attempts")
            // A right PIN too early, with the wall clock years ahead or behind: no KDF, no count.
            for (early, unixSeconds) in [(1, 9_000_000_000), (delay, 0), (delay, 1_750_009_999)] {
                let clock = reading(
                    bootSeconds + UInt64(delay - early), unixSeconds: Int64(unixSeconds))
                #expect(
                    try keystoreError { try workspace.withUnlocked(clock: clock) { _, _, _ in } }
                        == .delayed(seconds: early))
            }
            #expect(try workspace.bytes("state/attempts") == bytes)
            bootSeconds += UInt64(delay)
        }
        #expect(try workspace.judge() == .erasing)
    }

    @Test("A shifted boot time restarts the delay, and is recorded")
    func restart() throws {
        let workspace = try SharedKeystore.copy()
        try workspace.writeRecord(standing(workspace, count: 6))
        #expect(
            try keystoreError { try workspace.withUnlocked(clock: reading(99_000)) { _, _, _ in } }
                == .delayed(seconds: 60))
        let after = try workspace.attempts()
        #expect(after.record.delayStart == boot(99_000) && after.record.count == 6)
        #expect(!after.isCopyLost)
        #expect(
            try keystoreError { try workspace.withUnlocked(clock: reading(99_059)) { _, _, _ in } }
                == .delayed(seconds: 1))
    }

    @Test("A lowered limit leaves one attempt and erases at the next wrong PIN")
    func loweredLimit() throws {
        let workspace = try SharedKeystore.copy()
        try workspace.writeRecord(standing(workspace, count: 4))
        #expect(
            try keystoreError { try workspace.withUnlocked(pin: "8207", limit: 3) { _, _, _ in } }
                == .erasedNow)
        #expect(try workspace.judge() == .erasing)
    }

    @Test("With one copy lost the attempt is the last one: a right PIN mends, a wrong one erases")
    func lostCopy() throws {
        for (pin, isRight) in [(Workspace.pin, true), ("8207", false)] {
            let workspace = try SharedKeystore.copy()
            try workspace.remove("state/attempts")
            #expect(try workspace.judge() == .locked(attemptsLeft: 1))
            let error = try keystoreError {
                try workspace.withUnlocked(pin: pin) { keystore, folders, _ in
                    #expect(try workspace.judge() == .erasing, "counted as the last beforehand")
                    try keystore.resetAttempts(folders, policyLimit: 10, now: reading().boot)
                }
            }
            #expect(error == (isRight ? nil : .erasedNow))
            #expect(try workspace.judge() == (isRight ? .locked(attemptsLeft: 10) : .erasing))
        }
    }

    @Test("What was examined before somebody else counted or wrote is not tried")
    func staleExamination() throws {
        let counted = try SharedKeystore.copy()
        try counted.withLocked { locked, folders in
            let lock = try KeystoreLock.take(folders)
            try counted.writeRecord(standing(counted, count: 1))
            let error = errorOfUnlock(locked, folders, lock) { reading() }
            #expect(error == .changed)
        }
        #expect(try counted.attempts().record.count == 1)
        let written = try SharedKeystore.copy()
        let other = try SharedKeystore.copy()
        try other.withUnlocked { keystore, folders, lock in
            try keystore.save(folders, lock: lock)
        }
        try written.withLocked { locked, folders in
            let lock = try KeystoreLock.take(folders)
            try written.replace("data/keystore", other.bytes("data/keystore"))
            let error = errorOfUnlock(locked, folders, lock) { reading() }
            #expect(error == .changed)
        }
        #expect(try written.attempts().record.count == 0)
    }

    @Test("A delay is not restarted from a record that somebody else counted on")
    func staleRestart() throws {
        let workspace = try SharedKeystore.copy()
        try workspace.writeRecord(standing(workspace, count: 5))
        try workspace.withLocked { locked, folders in
            let lock = try KeystoreLock.take(folders)
            try workspace.writeRecord(standing(workspace, count: 7))
            let error = errorOfUnlock(locked, folders, lock) { reading(50) }
            #expect(error == .changed)
        }
        #expect(try workspace.attempts().record.count == 7)
    }

    @Test("A lock file that is swapped during the KDF keeps the try from being made")
    func swappedLock() throws {
        let workspace = try SharedKeystore.copy()
        try workspace.withLocked { locked, folders in
            let lock = try KeystoreLock.take(folders)
            var calls = 0
            let error = errorOfUnlock(locked, folders, lock) {
                calls += 1
                if calls == 2 {
                    try? workspace.remove("state/lock")
                    try? workspace.replace("state/lock", [])
                }
                return reading()
            }
            #expect(error == .busy)
        }
        #expect(try workspace.attempts().record.count == 0)
        #expect(try workspace.names().filter { $0.contains(".") } == [])
    }

    @Test("A count that another process made during the KDF keeps the try from being made")
    func countedMeanwhile() throws {
        let workspace = try SharedKeystore.copy()
        try workspace.withLocked { locked, folders in
            let lock = try KeystoreLock.take(folders)
            let counted = locked.attempts.counted(policy: 10, now: boot(1))
            let bytes = try AttemptFiles(locked.deviceKey).bytes(counted)
            var calls = 0
            let error = errorOfUnlock(locked, folders, lock) {
                calls += 1
                if calls == 2 { try? workspace.replace("state/attempts", bytes) }
                return reading()
            }
            #expect(error == .changed)
        }
        #expect(try workspace.attempts().record.count == 1)
    }

    @Test("A count that can't be written costs no attempt", arguments: ["data", "state"])
    func unwritableCount(folder: String) throws {
        for suffix in [".new", ".reserved"] {
            let workspace = try SharedKeystore.copy()
            let blocker = workspace.root.appending(path: "\(folder)/attempts\(suffix)/x")
            try workspace.withLocked { locked, folders in
                let lock = try KeystoreLock.take(folders)
                try FileManager.default.createDirectory(
                    at: blocker, withIntermediateDirectories: true)
                let error = errorOfUnlock(locked, folders, lock) { reading() }
                guard case .system = error else {
                    Issue.record("\(String(describing: error))")
                    return
                }
            }
            try FileManager.default.removeItem(at: blocker.deletingLastPathComponent())
            #expect(try workspace.judge() == .locked(attemptsLeft: 10))
        }
    }

    @Test("A count that failed between the copies is taken back at a newer generation")
    func takenBack() throws {
        let workspace = try SharedKeystore.copy()
        try workspace.withLocked { locked, folders in
            let standing = locked.attempts
            let counted = standing.counted(policy: 10, now: boot(1))
            let undo = standing.takenBack(after: counted, now: boot(1))
            let files = try AttemptFiles(locked.deviceKey)
            var reserved = try files.reserve(in: folders)
            // A folder with something in it can't be renamed over.
            try workspace.remove("data/attempts")
            let blocker = workspace.root.appending(path: "data/attempts/x")
            try FileManager.default.createDirectory(at: blocker, withIntermediateDirectories: true)
            var didThrow = false
            do throws(KeystoreError) {
                try files.write(counted, in: folders) {
                    reserved.takeBack(files.bytes(undo), in: folders)
                }
            } catch { didThrow = true }
            #expect(didThrow)
            try FileManager.default.removeItem(at: blocker.deletingLastPathComponent())
            #expect(try files.read(folders.state) == .whole(undo))
            #expect(undo.count == 0 && undo.generation == standing.record.generation + 2)
            // The data copy of either side of the cut changes nothing.
            for record in [standing.record, counted] {
                try workspace.replace("data/attempts", files.bytes(record))
                #expect(try workspace.judge() == .locked(attemptsLeft: 10))
            }
        }
    }

    @Test("Behind a right PIN, damage costs no attempt")
    func damageBehindTheRightPIN() throws {
        let workspace = try SharedKeystore.copy()
        try workspace.withLocked { locked, _ in
            var image = locked.image
            image.metadata = Box(
                nonce: image.metadata.nonce, ciphertext: image.metadata.ciphertext.reversed())
            try workspace.replace("data/keystore", image.encoded(by: locked.deviceKey))
        }
        for _ in 0..<2 {
            #expect(
                try keystoreError { try workspace.withUnlocked { _, _, _ in } }
                    == .damaged(.keystore))
        }
        #expect(try workspace.judge() == .locked(attemptsLeft: 10))
    }

    @Test("Six wrong PINs at once make as many tries as there are attempts")
    func manyWrongPINs() async throws {
        let workspace = try SharedKeystore.copy()
        let errors = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<6 {
                group.addTask {
                    do {
                        try workspace.withUnlocked(pin: "8207", limit: 3) { _, _, _ in }
                        return "unlocked"
                    } catch { return "\(error)" }
                }
            }
            return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        }
        #expect(
            errors == [
                "wrongPIN(attemptsLeft: 2, delaySeconds: 0)": 1,
                "wrongPIN(attemptsLeft: 1, delaySeconds: 0)": 1, "erasedNow": 1,
                "UnexpectedCondition()": 3,
            ])
        #expect(try workspace.judge() == .erasing)
    }

    @Test("Four writers at once all succeed, and no counter is used twice")
    func manyWriters() async throws {
        let workspace = try SharedKeystore.copy()
        let counters = try await withThrowingTaskGroup(of: UInt64.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    try workspace.withUnlocked { keystore, folders, lock in
                        let counter = try keystore.useCounter(keystore.tokens[1].id)
                        try keystore.save(folders, lock: lock)
                        try keystore.resetAttempts(folders, policyLimit: 10, now: reading().boot)
                        return counter
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(counters.sorted() == [5, 6, 7, 8])
        #expect(try workspace.judge() == .locked(attemptsLeft: 10))
    }

    private func standing(_ workspace: Workspace, count: Int) throws -> AttemptRecord {
        let record = try workspace.attempts().record
        return AttemptRecord(
            generation: record.generation + 1, keystoreGeneration: record.keystoreGeneration,
            count: count, limit: 10, now: boot(99_940))
    }

    /// Tries the right PIN.
    private func errorOfUnlock(
        _ locked: consuming LockedKeystore, _ folders: KeystoreFolders,
        _ lock: KeystoreLock, clock: () -> ClockReading
    ) -> KeystoreError? {
        do {
            _ = try locked.unlock(
                makePIN(Workspace.pin), folders: folders, lock: lock, policyLimit: 10,
                clock: { () throws(SystemError) in clock() }, vouch: { _ in })
            return nil
        } catch { return error as? KeystoreError }
    }
}
