// The pure parts: timestamps, the log's chain, used links, the choice of a token.
// Source: RFC 3339; Keystore/FORMAT.md §10, §11; CONTRACT §1 (TOKEN).
import Keystore
import Linux
import Testing

@testable import SoftTokenCore

@Suite("Timestamps") struct UTCTimeTests {
    @Test(
        "A moment is written as RFC 3339 has it, and read back",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"), (1_111_111_109, "2005-03-18T01:58:29Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"), (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] as [(Int64, String)])
    func both(_ seconds: Int64, _ text: String) {
        #expect(UTCTime.text(unixSeconds: seconds) == text)
        #expect(UTCTime.unixSeconds(text) == seconds)
    }

    @Test(
        "Anything else is no timestamp",
        arguments: [
            "", "2005-03-18 01:58:29Z", "2005-13-18T01:58:29Z", "2005-03-18T01:58:29+00",
            "2005-02-30T01:58:29Z", "2005-03-18T24:00:00Z", "2005-03-18T01:60:00Z",
            "+005-03-18T01:58:29Z", "2005/03/18T01:58:29Z",
        ])
    func rejected(_ text: String) { #expect(UTCTime.unixSeconds(text) == nil) }

    @Test("Every number of seconds has a text", arguments: [Int64.min, .min + 1, 1 << 60, .max])
    func extremes(_ seconds: Int64) { #expect(UTCTime.text(unixSeconds: seconds).hasSuffix("Z")) }
}

@Suite("The audit log's chain") struct AuditChainTests {
    private let folders: KeystoreFolders
    private let home = MadeUpHome()

    init() throws {
        folders = try KeystoreFolders.openOrCreate(
            dataPath: home.place.dataPath, statePath: home.place.statePath)
        for number in 1...5 { try append("entry number \(number)") }
    }

    private func append(_ detail: String) throws {
        try KeystoreLock.held(folders) { () throws(KeystoreError) in }
        let lock = try KeystoreLock.take(folders)
        try AuditLog.append(
            [AuditEntry(.otp, .ok, tokenID: 1, detail: detail)], folders: folders, lock: lock,
            unixSeconds: 1_800_000_000)
    }

    private func file(_ name: String) throws -> [UInt8] {
        try #require(try folders.state.contents(of: name, limit: 1 << 20))
    }

    private func write(_ bytes: [UInt8], to name: String) throws {
        try folders.state.replace(name, bytes: bytes.span)
    }

    @Test("A log as it was written is whole")
    func whole() throws {
        let report = try AuditLog.read(folders)
        #expect(report.flaw == nil)
        #expect(report.lines.map(\.sequence) == [1, 2, 3, 4, 5])
    }

    @Test("Each flipped bit of the log is found")
    func flipped() throws {
        let log = try file("log")
        for index in log.indices {
            for bit in [0, 3, 7] {
                var altered = log
                altered[index] ^= 1 << UInt8(bit)
                try write(altered, to: "log")
                #expect(try AuditLog.read(folders).flaw != nil, "byte \(index), bit \(bit)")
            }
        }
    }

    @Test("A cut tail, a missing line and a changed order are named by their entry")
    func cut() throws {
        let lines = try file("log").split(separator: 10).map { Array($0) + [10] }
        try write(lines[0..<3].flatMap { $0 }, to: "log")
        #expect(try AuditLog.read(folders).flaw == .missing(4))
        try write((lines[0..<2] + lines[3...]).flatMap { $0 }, to: "log")
        #expect(try AuditLog.read(folders).flaw == .entry(3))
        try write([lines[1], lines[0], lines[2], lines[3], lines[4]].flatMap { $0 }, to: "log")
        #expect(try AuditLog.read(folders).flaw == .entry(1))
    }

    @Test("A power cut between entry and head is no tampering")
    func powerCut() throws {
        let head = try file("log-head")
        try append("the entry that the head missed")
        try write(head, to: "log-head")
        #expect(try AuditLog.read(folders).flaw == nil)
        try append("the next one")
        let report = try AuditLog.read(folders)
        #expect(report.flaw == nil)
        #expect(report.lines.map(\.sequence) == [1, 2, 3, 4, 5, 6, 7])
    }

    @Test("An incomplete last line is cut off and noted")
    func incomplete() throws {
        try write(try file("log") + Array("{\"seq\":6,\"ti".utf8), to: "log")
        try append("after the cut")
        let report = try AuditLog.read(folders)
        #expect(report.flaw == nil)
        #expect(report.lines.last?.detail.contains("an incomplete entry was cut off") == true)
    }

    @Test(
        "What is altered never stops a command: a new chain begins with a tamper entry",
        arguments: ["log", "log-head", "log-key"])
    func newChain(_ name: String) throws {
        try write([1, 2, 3], to: name)
        try append("goes on")
        let report = try AuditLog.read(folders)
        #expect(report.lines.suffix(2).map(\.event) == [.tamper, .otp])
        #expect(report.flaw != nil)
        #expect(!AuditLog.isWholeAtItsEnd(folders))
    }

    @Test("In a long log status sees what is altered among the last entries")
    func longLog() throws {
        let lock = try KeystoreLock.take(folders)
        let detail = String(repeating: "x", count: 60)
        for _ in 0..<15 {
            try AuditLog.append(
                (0..<10).map { _ in AuditEntry(.otp, .ok, tokenID: 1, detail: detail) },
                folders: folders, lock: lock, unixSeconds: 1_800_000_000)
        }
        #expect(AuditLog.isWholeAtItsEnd(folders))
        let whole = try file("log")
        #expect(whole.count > 30_000)
        for place in [whole.count - 10, whole.count - 100, whole.count - 3_500] {
            var altered = whole
            altered[place] ^= 1
            try write(altered, to: "log")
            #expect(!AuditLog.isWholeAtItsEnd(folders), "\(place)")
        }
        // A line is taken out; what follows fits itself, and not the head.
        try write(whole.prefix(whole.count - 1000) + whole.suffix(500), to: "log")
        #expect(!AuditLog.isWholeAtItsEnd(folders))
    }

    @Test("Entries older than two years are dropped, and the rest stays whole")
    func pruned() throws {
        let lock = try KeystoreLock.take(folders)
        let later = AuditEntry(.otp, .ok, tokenID: 1, detail: "much later")
        let now: Int64 = 1_800_000_000 + 3 * 366 * 86_400
        // A clock that jumped is not believed by itself: 32 entries have to tell the same time.
        try AuditLog.append(
            [AuditEntry](repeating: later, count: 32), folders: folders, lock: lock,
            unixSeconds: now)
        #expect(try AuditLog.read(folders).lines.first?.sequence == 1)
        try AuditLog.append([later], folders: folders, lock: lock, unixSeconds: now)
        let report = try AuditLog.read(folders)
        #expect(report.flaw == nil)
        #expect(report.lines.map(\.sequence) == Array(6...38))
    }
}

@Suite("What the fuzzer found in the log") struct FuzzedLogTests {
    @Test(
        "A line in another spelling than ours is no line",
        arguments: [
            #"{"seq":+1,"time":"2025-06-15T15:06:40Z","event":"otp","outcome":"ok","token":null,"detail":"a""#,
            #"{"seq":01,"time":"2025-06-15T15:06:40Z","event":"otp","outcome":"ok","token":null,"detail":"a""#,
            #"{"seq":1,"time":"2025-06-15T15:06:40Z","event":"otp","outcome":"ok","token":7,"detail":"a""#,
            #"{"seq":1,"time":"2025-06-15T15:06:40Z","event":"otp","outcome":"ok","token":"0000000000000AB7","detail":"a""#,
            #"{"seq":1,"time":"2025-06-15T15:06:40Z","event":"otp","outcome":"ok","token":null,"detail":"a","more":"b""#,
            "{\"seq\":1,\"time\":\"2025-06-15T15:06:40Z\",\"event\":\"otp\",\"outcome\":\"ok\",\"token\":null,\"detail\":\"\u{1b}[2J\"",
        ])
    func otherSpelling(_ content: String) {
        let mac = String(repeating: "0", count: 64)
        let line = Array((content + ",\"mac\":\"\(mac)\"}").utf8)
        #expect(LogEntry(line[...]) == nil)
    }

    @Test(
        "A head whose numbers no chain has doesn't count, and stops no command",
        arguments: [
            (0, .max, 0, 10), (0, 11, 0, 10), (3, 0, 2, 10), (.max, 0, .max, 10),
            (0, 0, 0, 1 << 63),
        ] as [(UInt64, UInt64, UInt64, UInt64)])
    func impossibleHead(base: UInt64, offset: UInt64, last: UInt64, count: UInt64) throws {
        var head = AuditHead()
        head.baseSequence = base
        head.baseOffset = offset
        head.lastSequence = last
        head.byteCount = count
        let home = MadeUpHome()
        let folders = try KeystoreFolders.openOrCreate(
            dataPath: home.place.dataPath, statePath: home.place.statePath)
        let key = try LogKey.readOrCreate(folders.state)
        let macKey = try key.macKey(.head)
        let file = head.encoded(by: macKey)
        let read = AuditHead(file, key: macKey)
        #expect(read == nil)
        try folders.state.replace(AuditHead.fileName, bytes: file.span)
        try folders.state.replace("log", bytes: Array("0123456789".utf8).span)
        #expect(try AuditLog.read(folders).flaw != nil)
        let lock = try KeystoreLock.take(folders)
        try AuditLog.append(
            [AuditEntry(.otp, .ok, detail: "goes on")], folders: folders, lock: lock,
            unixSeconds: 1_800_000_000)
        #expect(try AuditLog.read(folders).lines.map(\.event) == [.tamper, .otp])
    }
}

@Test("A disk that a copied home can guess is told")
func guessableDisk() {
    var facts = KeystoreFacts()
    facts.state = .locked
    facts.binding = .disk
    #expect(!facts.protection(nil).contains("MBR"))
    facts.binding = .guessableDisk
    #expect(facts.protection(nil).contains("can be guessed in hours: the disk has an MBR"))
}
