// What is read while another process is between the writing of two files. Source: DESIGN §1.8.
import Foundation
import Keystore
import Synchronization
import Testing

@testable import SoftTokenCore

@Suite("Between two writes") struct BetweenWritesTests: MadeUpUses {
    let home = MadeUpHome()
    let clock = MadeUpClock(1_111_111_109)
    let link = "otpauth://totp/alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

    /// Reads while files are missing that whoever holds the lock puts in place half a second later.
    private func reading<R>(without names: [String], _ body: () throws -> R) throws -> R {
        let home = home.place
        let paths = names.map { name in
            let folder = name.hasPrefix("data/") ? home.dataPath : home.statePath
            return folder + name.drop { $0 != "/" }
        }
        let folders = try KeystoreFolders.openOrCreate(
            dataPath: home.dataPath, statePath: home.statePath)
        let lock = Mutex<KeystoreLock?>(try KeystoreLock.take(folders))
        for path in paths { try FileManager.default.moveItem(atPath: path, toPath: path + ".away") }
        Thread.detachNewThread {
            Thread.sleep(forTimeInterval: 0.5)
            for path in paths {
                try? FileManager.default.moveItem(atPath: path + ".away", toPath: path)
            }
            lock.withLock { $0 = nil }
        }
        return try body()
    }

    @Test(
        "A keystore that another process is changing is not called damaged, another's or erased",
        arguments: [
            ["state/device-key"], ["state/device-share"], ["data/attempts", "state/attempts"],
        ])
    func keystore(names: [String]) throws {
        try activate()
        let facts = try reading(without: names) { try authenticator().facts() }
        #expect(facts.state == .locked)
        #expect(facts.error == nil)
    }

    @Test(
        "A log that another process is changing is not called altered",
        arguments: ["log", "log-head"])
    func log(name: String) throws {
        try activate()
        let flow = try authenticator()
        #expect(try reading(without: ["state/" + name]) { try flow.log().flaw } == nil)
        #expect(try reading(without: ["state/" + name]) { flow.isLogWhole })
    }
}
