// Keystore/Vectors of the audit log and the used links: FORMAT.md §3, §10, §11, written by an
// independent writer in Python from that text alone.
import Foundation
import Keystore
import Linux
import Testing
import VectorFiles

@testable import SoftTokenCore

@Suite("FORMAT.md's vectors of the log")
struct LogVectorTests {
    private static let names = Vector.names.filter { (try? Vector($0))?["log"] != nil }

    @Test("Each is judged as it says, down to the first bad entry", arguments: names)
    func log(name: String) throws {
        let vector = try Vector(name)
        let home = try home(vector)
        let (verdict, count) = try judge(home)
        #expect(verdict == vector["log"])
        if let entries = vector["entries"] { #expect("\(count)" == entries) }
    }

    @Test(
        "The next entry goes on with what is whole, and begins a new chain else", arguments: names)
    func goesOn(name: String) throws {
        let vector = try Vector(name)
        let home = try home(vector)
        guard vector["log"] != "refused" else { return }
        let folders = try folders(home)
        let wasWhole = vector["log"] == "whole"
        // A vector is short: status sees all of it.
        #expect(AuditLog.isWholeAtItsEnd(folders) == wasWhole)
        let lock = try KeystoreLock.take(folders)
        try AuditLog.append(
            [AuditEntry(.otp, .ok, detail: "goes on")], folders: folders, lock: lock,
            unixSeconds: 1_750_000_000)
        let report = try AuditLog.read(folders)
        #expect(report.lines.last?.detail.hasPrefix("goes on") == true)
        #expect((report.flaw == nil) == wasWhole)
        #expect(AuditLog.isWholeAtItsEnd(folders) == wasWhole)
    }

    @Test("The used links are read as it says", arguments: names)
    func usedLinks(name: String) throws {
        let vector = try Vector(name)
        guard let expected = vector["used-links"] else { return }
        let home = try home(vector)
        let (verdict, lines, isUsed) = try judgeUsedLinks(
            home, link: try #require(vector["link"]),
            named: vector["names-used-links"].flatMap(UInt64.init) ?? 0)
        #expect(verdict == expected)
        #expect(lines == vector.all("used"))
        #expect(vector["link"]?.hasSuffix(isUsed ? " used" : " unused") == true)
    }

    @Test(
        "The head vouches for the generations that it says",
        arguments: Vector.names.filter { (try? Vector($0))?["vouched"] != nil })
    func vouched(name: String) throws {
        let vector = try Vector(name)
        let home = try home(vector)
        let says =
            try AuditLog.vouched(try folders(home)).map { vouched in
                let count = vouched.count.map { count in
                    " \(TextAlphabet.hexadecimal.text(count.deviceName)) \(count.failures)/\(count.limit)"
                }
                guard vector["vouched"]?.hasSuffix(" gone") == true else {
                    return "\(vouched.attempts) \(vouched.keystore)" + (count ?? "")
                }
                // Keystore/FORMAT.md §10: a record that was never written.
                return "\(vouched.attempts &- 1 << 32) \(vouched.keystore)" + (count ?? "")
                    + " gone"
            } ?? "none"
        #expect(says == vector["vouched"])
    }

    @Test("There are vectors, of every verdict")
    func verdicts() throws {
        let verdicts = try Set(
            LogVectorTests.names.compactMap { try Vector($0)["log"]?.split(separator: " ").first })
        #expect(LogVectorTests.names.count > 120)
        #expect(verdicts == ["whole", "entry", "missing", "break", "no", "refused"])
    }

    private func home(_ vector: Vector) throws -> MadeUpHome {
        let home = MadeUpHome()
        _ = try KeystoreFolders.openOrCreate(
            dataPath: home.place.dataPath, statePath: home.place.statePath)
        try vector.unpack(below: URL(filePath: home.path))
        return home
    }

    private func folders(_ home: MadeUpHome) throws -> KeystoreFolders {
        try #require(
            try KeystoreFolders.open(
                dataPath: home.place.dataPath, statePath: home.place.statePath))
    }

    /// The verdict in a vector's words, and how many entries are shown.
    private func judge(_ home: MadeUpHome) throws -> (String, Int) {
        do throws(KeystoreError) {
            let report = try AuditLog.read(
                try KeystoreFolders.openOrCreate(
                    dataPath: home.place.dataPath, statePath: home.place.statePath))
            return (report.flaw.map(words) ?? "whole", report.lines.count)
        } catch {
            guard case .problem = error else { throw error }
            return ("refused", 0)
        }
    }

    private func words(_ flaw: AuditFlaw) -> String {
        switch flaw {
        case .noKey: "no key"
        case .noHead: "no head"
        case .noLog: "no log"
        case .entry(let number): "entry \(number)"
        case .missing(let number): "missing \(number)"
        case .breakBefore(let number): "break \(number)"
        }
    }

    private func judgeUsedLinks(
        _ home: MadeUpHome, link: String, named: UInt64
    ) throws -> (verdict: String, lines: [String], isUsed: Bool) {
        let folders = try folders(home)
        let words = link.split(separator: " ")
        let (x, jti) = try (
            #require(TextAlphabet.hexadecimal.bytes(Array(words[0].utf8))),
            #require(TextAlphabet.hexadecimal.bytes(Array(words[1].utf8)))
        )
        let issued = try #require(Int64(words[2]))
        do throws(KeystoreError) {
            let isUsed = try UsedLinks.contains(
                x: x, jti: jti, issuedAtUnixSeconds: issued, folders, named: named)
            guard let key = try LogKey.read(folders.state),
                let file = try UsedLinks.contents(of: UsedLinks.fileName, folders)
            else { return ("none", [], isUsed) }
            guard let content = try UsedLinks.decoded(file, key.macKey(.usedLinks)) else {
                return ("altered", [], isUsed)
            }
            let lines = content.entries.map {
                "\(TextAlphabet.hexadecimal.text($0.hash))|\($0.expiresUnixSeconds)|\(tokenIDText($0.tokenID))"
            }
            return ("whole", lines, isUsed)
        } catch {
            guard case .problem = error else { throw error }
            return ("refused", [], false)
        }
    }
}
