// One command at a time, whatever becomes of the lock's file. Source: DESIGN §1.8.
import Foundation
import Keystore
import Synchronization
import Testing

@testable import SoftTokenCore

@Suite("The lock") struct LockTests {
    private let home = MadeUpHome()

    private func folders() throws -> KeystoreFolders {
        try KeystoreFolders.openOrCreate(
            dataPath: home.place.dataPath, statePath: home.place.statePath)
    }

    @Test("Who moves the lock's file away gives nobody a second one")
    func movedAway() throws {
        var lock: KeystoreLock? = try KeystoreLock.take(folders())
        let file = home.place.statePath + "/lock"
        try FileManager.default.moveItem(atPath: file, toPath: file + "2")
        let isTaken = Mutex(false)
        let ended = DispatchSemaphore(value: 0)
        let others = try folders()
        Thread.detachNewThread {
            _ = try? KeystoreLock.take(others)
            isTaken.withLock { $0 = true }
            ended.signal()
        }
        Thread.sleep(forTimeInterval: 0.5)
        #expect(!isTaken.withLock { $0 })
        withExtendedLifetime(lock) {}
        lock = nil
        ended.wait()
        #expect(isTaken.withLock { $0 })
    }
}
