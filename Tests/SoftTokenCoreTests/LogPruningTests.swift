// Pruning the audit log: nothing that a kill leaves is taken for tampering, and nothing that was
// tampered with is pruned unseen. Source: Keystore/FORMAT.md §10.
import Glibc
import Keystore
import Linux
import Testing

@testable import SoftTokenCore

@Suite("Pruning the audit log") struct LogPruningTests {
    /// Five entries of old, two of a year later, and of now as many as a clock is measured against.
    private static let old: Int64 = 1_700_000_000
    private static let now = old + 3 * 366 * 86_400
    private let folders: KeystoreFolders
    private let home = MadeUpHome()

    init() throws {
        folders = try KeystoreFolders.openOrCreate(
            dataPath: home.place.dataPath, statePath: home.place.statePath)
        for _ in 1...5 { try append(at: LogPruningTests.old) }
        // The first is not so old that the pruning would begin.
        for _ in 6...7 { try append(at: LogPruningTests.old + 400 * 86_400) }
        for _ in 8...39 { try append() }
    }

    private func append(at unixSeconds: Int64 = now, detail: String = "an entry") throws {
        try append(AuditEntry(.otp, .ok, tokenID: 1, detail: detail), at: unixSeconds)
    }

    private func append(_ entry: AuditEntry, at unixSeconds: Int64 = now) throws {
        let lock = try KeystoreLock.take(folders)
        try AuditLog.append([entry], folders: folders, lock: lock, unixSeconds: unixSeconds)
    }

    private func sequences() throws -> [UInt64] { try report().lines.map(\.sequence) }

    private func file(_ name: String) throws -> [UInt8] {
        try #require(try folders.state.contents(of: name, limit: 1 << 20))
    }

    private func write(_ bytes: [UInt8], to name: String) throws {
        try folders.state.replace(name, bytes: bytes.span)
    }

    private func report() throws -> AuditReport { try AuditLog.read(folders) }

    /// Log and head after each step of the append that prunes: the entry, the first head, the
    /// shorter log, the second head.
    private func steps() throws -> [(log: [UInt8], head: [UInt8])] {
        let (log, head) = (try file("log"), try file("log-head"))
        try append()
        let (shorter, last) = (try file("log"), try file("log-head"))
        let entry = try #require(shorter.split(separator: 10).last) + [10]
        let key = try LogKey.readOrCreate(folders.state)
        var first = try #require(try AuditHead(last, key: key.macKey(.head)))
        #expect(first.baseSequence == 5)
        first.baseOffset = UInt64(log.count + entry.count - shorter.count)
        first.byteCount += first.baseOffset
        let both = first.encoded(by: try key.macKey(.head))
        return [
            (log + entry, head), (log + entry, both), (shorter, both), (shorter, last),
        ]
    }

    @Test(
        "Killed after each step it is whole, and the next entry goes on",
        arguments: [(0, 40), (1, 35), (2, 35), (3, 35)])
    func killed(step: Int, shown: Int) throws {
        let step = try steps()[step]
        try write(step.log, to: "log")
        try write(step.head, to: "log-head")
        #expect(try report().flaw == nil)
        #expect(try report().lines.count == shown)
        #expect(AuditLog.isWholeAtItsEnd(folders))
        try append(detail: "the next one")
        #expect(try report().flaw == nil)
        #expect(try report().lines.map(\.sequence) == Array(6...41))
        #expect(AuditLog.isWholeAtItsEnd(folders))
        let key = try LogKey.readOrCreate(folders.state)
        let head = try #require(try AuditLog.head(folders, key: key))
        #expect(head.baseOffset == 0)
        #expect(try head.byteCount == UInt64(file("log").count))
    }

    @Test("Killed after the shorter log and again after the next entry, however long, it is whole")
    func killedTwice() throws {
        let step = try steps()[2]
        try write(step.log, to: "log")
        for _ in 1...6 {
            try write(step.head, to: "log-head")
            #expect(try report().flaw == nil)
            #expect(AuditLog.isWholeAtItsEnd(folders))
            try append()
        }
        try write(step.head, to: "log-head")
        #expect(try report().flaw == nil)
        // From the third on with the entry that says that the head was put back.
        #expect(try report().lines.map(\.sequence) == Array(6...50))
    }

    @Test("What is missing besides the dropped bytes is found", arguments: [1, 2])
    func cutShorter(step: Int) throws {
        let step = try steps()[step]
        try write(step.head, to: "log-head")
        try write(step.log.dropLast(), to: "log")
        #expect(try report().flaw == .missing(40))
        #expect(!AuditLog.isWholeAtItsEnd(folders))
        try append()
        #expect(try report().lines.suffix(2).map(\.event) == [.tamper, .otp])
    }

    @Test("Dropped entries that stand there still are not shown, whatever is written over them")
    func droppedBytes() throws {
        let step = try steps()[1]
        try write(step.head, to: "log-head")
        var log = step.log
        let forged = try #require(String(bytes: log, encoding: .utf8))
            .replacing("an entry", with: "AN ENTRY", maxReplacements: 1)
        log = Array(forged.utf8)
        try write(log, to: "log")
        #expect(try report().flaw == nil)
        #expect(try report().lines.map(\.sequence) == Array(6...40))
    }

    @Test("A young entry whose time was altered is not dropped, but found")
    func alteredTime() throws {
        let text = try #require(String(bytes: try file("log"), encoding: .utf8))
        let young = UTCTime.text(unixSeconds: LogPruningTests.old + 400 * 86_400)
        let forged = text.replacing(
            young, with: UTCTime.text(unixSeconds: LogPruningTests.old), maxReplacements: 1)
        #expect(forged != text)
        try write(Array(forged.utf8), to: "log")
        try append()
        #expect(try report().lines.map(\.sequence) == Array(1...41))
        #expect(try report().lines.suffix(2).map(\.event) == [.tamper, .otp])
        #expect(try report().flaw == .breakBefore(40))
    }

    @Test("A first entry that was altered is found by the next, however young it looks")
    func alteredFirst() throws {
        let text = try #require(String(bytes: try file("log"), encoding: .utf8))
        let forged = text.replacing("2023-", with: "2025-", maxReplacements: 1)
        #expect(forged != text)
        try write(Array(forged.utf8), to: "log")
        try append(at: LogPruningTests.old + 401 * 86_400)
        #expect(try report().lines.suffix(2).map(\.event) == [.tamper, .otp])
        #expect(try report().flaw == .breakBefore(40))
    }

    @Test(
        "A break is told for two years and 32 entries, and then dropped with its tamper entry",
        arguments: [("log", 40), ("log-head", 2)])
    func afterBreak(altered: String, first: UInt64) throws {
        try write([1, 2, 3], to: altered)
        let broken = LogPruningTests.now
        let end = broken + (2 * 366 + 20) * 86_400
        let last = [Int64](repeating: end + 12 * 86_400, count: AuditLog.witnessCount)
        for time in [broken, broken + 86_400, broken + 40 * 86_400, end] + last {
            try append(at: time)
            #expect(try report().flaw == .breakBefore(first))
            #expect(!AuditLog.isWholeAtItsEnd(folders))
        }
        // Two years and a month: what is older than two years goes.
        try append(at: end + 12 * 86_400)
        #expect(try report().flaw == nil)
        #expect(AuditLog.isWholeAtItsEnd(folders))
        #expect(try report().lines.map(\.sequence) == Array(first + 3...first + 37))
    }

    @Test("A log of more than 64 MiB is not read, and stops nothing")
    func tooLong() throws {
        let path = "\(home.place.statePath)/log"
        #expect(truncate(path, off_t(2 * AuditLog.maximumByteCount)) == 0)
        #expect(throws: KeystoreError.problem(.tooLong(path: path))) { try report() }
        try append()
        try append()
        let key = try LogKey.readOrCreate(folders.state)
        let head = try #require(try AuditLog.head(folders, key: key))
        #expect(head.lastSequence == 42 && head.followsBreak)
    }

    /// Ten years on, of which nobody knows whether they have passed.
    private static let ahead = now + 10 * 366 * 86_400

    @Test("A clock that jumped ahead drops no more than the entries before it would")
    func jumped() throws {
        try append(at: LogPruningTests.ahead)
        #expect(try sequences() == Array(6...40))
        for _ in 1...AuditLog.witnessCount - 1 { try append(at: LogPruningTests.ahead) }
        #expect(try sequences() == Array(6...71))
        try append()
        #expect(try sequences() == Array(6...72))
        #expect(try report().flaw == nil)
    }

    @Test("When the time has really passed, the last 32 entries stay")
    func passed() throws {
        for _ in 1...AuditLog.witnessCount + 1 { try append(at: LogPruningTests.ahead) }
        #expect(try sequences() == Array(40...72))
        #expect(try report().flaw == nil)
    }

    @Test(
        "What needs no PIN drops nothing",
        arguments: [
            AuditEntry(.unlock, .rejected, detail: "a wrong PIN"),
            AuditEntry(.refuse, .refused, detail: "remote login"),
            AuditEntry(.activate, .rejected, detail: "a wrong activation code"),
            AuditEntry(.activate, .failed, detail: "not remembered"),
            AuditEntry(.clock, .ok, detail: "confirmed"), AuditEntry(.attest, .ok, detail: "yes"),
            AuditEntry(.reset, .ok, detail: "destroyed"), AuditEntry(.erase, .ok, detail: "erased"),
        ])
    func withoutPIN(entry: AuditEntry) throws {
        for _ in 1...3 { try append(entry) }
        #expect(try sequences() == Array(1...42))
        try append()
        #expect(try sequences() == Array(6...43))
    }

    @Test("A pruning that was begun is gone on with by whatever is written next")
    func begun() throws {
        let step = try steps()[1]
        try write(step.log, to: "log")
        try write(step.head, to: "log-head")
        try append(AuditEntry(.refuse, .refused, detail: "remote login"))
        #expect(try file("log").starts(with: Array("{\"seq\":6,".utf8)))
    }

    @Test("An entry that the age is measured against and that was altered is found")
    func alteredWitness() throws {
        let text = try #require(String(bytes: try file("log"), encoding: .utf8))
        let young = UTCTime.text(unixSeconds: LogPruningTests.now)
        let forged = text.replacing(young, with: "2099-01-01T00:00:00Z", maxReplacements: 1)
        #expect(forged != text)
        try write(Array(forged.utf8), to: "log")
        try append()
        #expect(try report().lines.suffix(2).map(\.event) == [.tamper, .otp])
        #expect(try sequences().first == 1)
    }
}
