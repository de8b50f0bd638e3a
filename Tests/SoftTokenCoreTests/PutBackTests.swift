// Files put back from before: what the log's head vouches for gives no attempt back.
// Source: Keystore/FORMAT.md §6, §10.
import Activation
import Foundation
import Linux
import Testing

@testable import Keystore
@testable import SoftTokenCore

private let activation =
    "otpauth://hotp/ACME:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=ACME&counter=5"

@Suite("Files put back", .serialized) struct PutBackTests: MadeUpUses {
    let home = MadeUpHome()
    let clock = MadeUpClock(1_111_111_109)
    let link = activation

    private func show(_ pin: String = "5093") throws -> String {
        try show(pin).current().digits
    }

    private func attemptsLeft() throws -> Int? { try authenticator().facts().attemptsLeft }

    private func wrongPINs(_ count: Int) {
        for _ in 0..<count { #expect(throws: AuthenticatorError.self) { _ = try show("9999") } }
    }

    private func save(_ names: [String]) throws -> [String: Data] {
        var files: [String: Data] = [:]
        for name in names { files[name] = FileManager.default.contents(atPath: path(name)) }
        return files
    }

    private func putBack(_ files: [String: Data]) throws {
        for (name, bytes) in files {
            // In place: the mode stays.
            let file = try FileHandle(forWritingTo: URL(filePath: path(name)))
            try file.truncate(atOffset: 0)
            try file.write(contentsOf: bytes)
        }
    }

    private func path(_ name: String) -> String { home.path + "/" + name }

    private static let records = ["data/attempts", "state/attempts"]

    @Test("The two attempt records put back leave one attempt, and the log says so")
    func records() throws {
        try activate()
        let saved = try save(PutBackTests.records)
        wrongPINs(3)
        #expect(try attemptsLeft() == 7)
        try putBack(saved)
        #expect(try attemptsLeft() == 1)
        _ = try? show()
        #expect(try authenticator().log().lines.map(\.event).contains(.tamper))
        #expect(try attemptsLeft() == 10)
    }

    @Test(
        "Nor do they with the log's head of then, or without head, key or both",
        arguments: [
            ["state/log-head"], [], ["log-head"], ["log-key"], ["log-head", "log-key"],
            ["state/log-head", "log"],
        ])
    func recordsAndHead(names: [String]) throws {
        try activate()
        _ = try show()
        let saved = try save(PutBackTests.records + names.filter { $0.contains("/") })
        wrongPINs(3)
        try putBack(saved)
        for name in names where !name.contains("/") {
            try FileManager.default.removeItem(atPath: path("state/" + name))
        }
        #expect(try attemptsLeft() == 1)
        // Nor once anything has begun the log anew.
        for _ in 0..<2 {
            try authenticator().logged([AuditEntry(.refuse, .refused, detail: "remote login")])
            #expect(try attemptsLeft() == 1)
        }
    }

    @Test(
        "Nor with a log that was changed beyond the head of then",
        arguments: ["a byte flipped", "a line feed", "a line taken out"])
    func changedLog(change: String) throws {
        try activate()
        _ = try show()
        let saved = try save(PutBackTests.records + ["state/log-head", "data/keystore"])
        let length = try #require(save(["state/log"])["state/log"]).count
        wrongPINs(2)
        try putBack(saved)
        var log = try #require(save(["state/log"])["state/log"])
        let end = try #require(log[length...].firstIndex(of: UInt8(ascii: "\n")))
        switch change {
        case "a byte flipped": log[length + 20] ^= 1
        case "a line feed": log.insert(UInt8(ascii: "\n"), at: length)
        default: log.removeSubrange(length...end)
        }
        try putBack(["state/log": log])
        #expect(try attemptsLeft() == 1)
        #expect(throws: AuthenticatorError.keystore(.counterUnknown)) { _ = try show() }
    }

    @Test("Beside another home's log no attempt is left, and one that is new vouches for nothing")
    func otherLog() throws {
        let names = ["state/log", "state/log-head", "state/log-key"]
        let other = PutBackTests()
        try other.activate()
        _ = try other.show()
        try activate()
        let saved = try save(PutBackTests.records)
        wrongPINs(3)
        try putBack(saved.merging(other.save(names)) { $1 })
        #expect(throws: AuthenticatorError.keystore(.attemptRecordsLost)) { _ = try show() }
        for name in names { try FileManager.default.removeItem(atPath: path(name)) }
        try authenticator().logged([AuditEntry(.unlock, .refused, detail: "anything")])
        #expect(try attemptsLeft() == 1)
    }

    @Test("What was erased stays erased, whatever is put back beside the log")
    func erasedForGood() throws {
        try activate()
        let saved = try save(
            PutBackTests.records + ["data/keystore", "state/device-key", "state/device-share"])
        for _ in 0..<10 {
            _ = try? show("9999")
            clock.set(clock.reading().unixSeconds + 3600)
        }
        for _ in 0..<3 {
            for (name, bytes) in saved {
                _ = FileManager.default.createFile(
                    atPath: path(name), contents: bytes, attributes: [.posixPermissions: 0o600])
            }
            try? FileManager.default.removeItem(atPath: path("state/erased"))
            #expect(throws: AuthenticatorError.self) { _ = try show() }
            #expect(!FileManager.default.fileExists(atPath: path("state/device-share")))
        }
        // Nor beside the log of the keystore that came after it.
        _ = try authenticator().reset()
        try activate()
        try putBack(saved)
        #expect(throws: AuthenticatorError.keystore(.attemptRecordsLost)) { _ = try show() }
    }

    @Test("A reset that was cut is finished as one: no tombstone, and no word of wrong PINs")
    func cutReset() throws {
        try activate()
        // A folder that is not empty, behind the share and before the keystore.
        let blocker = path("state/request/x")
        try FileManager.default.createDirectory(
            atPath: blocker, withIntermediateDirectories: true)
        #expect(throws: AuthenticatorError.self) { _ = try authenticator().reset() }
        #expect(!FileManager.default.fileExists(atPath: path("state/device-share")))
        #expect(FileManager.default.fileExists(atPath: path("data/keystore")))
        #expect(try authenticator().log().lines.last?.event == .reset)
        try FileManager.default.removeItem(atPath: path("state/request"))
        let facts = try authenticator().facts()
        #expect(facts.state == Status.Keystore.none && facts.error == nil)
        #expect(!FileManager.default.fileExists(atPath: path("state/erased")))
        #expect(!FileManager.default.fileExists(atPath: path("state/attempts")))
        let log = try authenticator().log()
        #expect(log.flaw == nil && log.lines.last?.event == .reset)
        #expect(!log.lines.map(\.event).contains(.erase))
        try activate()
        #expect(try attemptsLeft() == 10)
    }

    @Test("A use that waits for a choice of token takes up no older keystore than there was")
    func olderMeanwhile() throws {
        try activate()
        try waiting { (authenticator, session, clearance) in
            // Another terminal's.
            #expect(try show() == "254676")
            let saved = try save(["data/keystore"])
            #expect(try show() == "287922")
            try putBack(saved)
            let token = session.tokens[0]
            #expect(throws: AuthenticatorError.keystore(.changed)) {
                _ = try authenticator.makeOTPs(&session, of: token, seconds: 0, clearance)
            }
        }
    }

    @Test(
        "An attempt is vouched for before its PIN is tried, whatever keeps its entry from the log")
    func vouchedBeforeTry() throws {
        try activate()
        let saved = try save(PutBackTests.records)
        let head = try save(["state/log-head"])
        let (clock, log, headPath) = (clock, path("state/log"), path("state/log-head"))
        let lost = try Flow(place: home.place, device: .ordinary) {
            () throws(SystemError) in
            // Once the head is there the entry can't be written any more.
            if FileManager.default.contents(atPath: headPath) != head["state/log-head"] {
                chmod(log, 0o644)
            }
            return clock.reading()
        }
        let checks = try lost.check(.show, answers: Answers(isInteractive: false))
        let clearance = try lost.clearance(checks)
        #expect(throws: AuthenticatorError.self) {
            _ = try lost.unlock(try madeUpPIN("9999"), clearance)
        }
        chmod(log, 0o600)
        #expect(!(try authenticator().log().lines.contains { $0.isWrongPIN }))
        try putBack(saved)
        #expect(try attemptsLeft() == 1)
    }

    @Test("An attempt that the log's head can't tell of is not made, and is taken back")
    func noHeadNoTry() throws {
        try activate()
        let (clock, state) = (clock, path("state"))
        let records = try save(["state/attempts"])
        let full = try Flow(place: home.place, device: .ordinary) {
            () throws(SystemError) in
            // Once the attempt is counted no head can be put beside the log any more.
            if FileManager.default.contents(atPath: state + "/attempts")
                != records["state/attempts"]
            {
                mkdir(state + "/log-head.new", 0o700)
                symlink("nowhere", state + "/log-head.new/x")
            }
            return clock.reading()
        }
        let checks = try full.check(.show, answers: Answers(isInteractive: false))
        let clearance = try full.clearance(checks)
        #expect(throws: AuthenticatorError.self) {
            _ = try full.unlock(try madeUpPIN("5093"), clearance)
        }
        #expect(try attemptsLeft() == 10)
    }

    @Test("Wrong PINs, right PINs, an erasure and a new keystore never look like records put back")
    func neverByItself() throws {
        for round in 0..<2 {
            try activate()
            #expect(try attemptsLeft() == 10)
            for counter in 5..<8 {
                wrongPINs(2)
                #expect(try attemptsLeft() == 8)
                #expect(try show() != "")
                #expect(try attemptsLeft() == 10, "\(round) \(counter)")
            }
            #expect(!(try authenticator().log().lines.map(\.event).contains(.tamper)))
            _ = try authenticator().reset()
        }
    }

    @Test(
        "A HOTP token of a keystore that was put back makes no OTP until a new link comes",
        arguments: [[], ["state/log-head"], ["state/log-head", "log"]])
    func olderKeystore(names: [String]) throws {
        try activate()
        let files = ["data/keystore"] + PutBackTests.records + names.filter { $0.contains("/") }
        let saved = try save(files)
        // RFC 4226 Appendix D, counters 5 and 6.
        #expect(try show() == "254676")
        #expect(try show() == "287922")
        try putBack(saved)
        if names.contains("log") { try FileManager.default.removeItem(atPath: path("state/log")) }
        for _ in 0..<2 {
            #expect(throws: AuthenticatorError.keystore(.counterUnknown)) { _ = try show() }
        }
        #expect(try attemptsLeft() == 10)
    }

    @Test(
        "An older keystore that can't be written anew stays an older one",
        arguments: [["state/log-head"], ["state/log-key", "state/log-head"], ["state/log"]])
    func olderKeystoreUnwritten(lost: [String]) throws {
        try activate()
        let saved = try save(["data/keystore", "state/log-head"] + PutBackTests.records)
        #expect(try show() == "254676")
        try putBack(saved)
        for name in lost { try FileManager.default.removeItem(atPath: path(name)) }
        let blocked = path("data/keystore.new")
        try FileManager.default.createDirectory(
            atPath: blocked + "/x", withIntermediateDirectories: true)
        for _ in 0..<2 { #expect(throws: AuthenticatorError.self) { _ = try show() } }
        try FileManager.default.removeItem(atPath: blocked)
        for _ in 0..<2 {
            #expect(throws: AuthenticatorError.keystore(.counterUnknown)) { _ = try show() }
        }
    }

    @Test("Nor do they with a head of before other uses, and the log left")
    func headOfBefore() throws {
        try activate()
        let head = try save(["state/log-head"])
        for _ in 0..<3 { _ = try show() }
        let saved = try save(PutBackTests.records + ["data/keystore"])
        wrongPINs(2)
        try putBack(saved.merging(head) { $1 })
        #expect(try attemptsLeft() == 1)
        try authenticator().logged([AuditEntry(.refuse, .refused, detail: "remote login")])
        #expect(try attemptsLeft() == 1)
        #expect(throws: AuthenticatorError.keystore(.counterUnknown)) { _ = try show() }
        let told = try authenticator().log().lines.map(\.detail)
        #expect(told.contains("the log's head was put back"))
        #expect(try authenticator().log().flaw == nil)
    }

    @Test("One use's entries beyond the head are a power cut's, and cost nothing")
    func powerCut() throws {
        try activate()
        for _ in 0..<2 {
            let head = try save(["state/log-head"])
            _ = try show()
            try putBack(head)
            #expect(try attemptsLeft() == 10)
            _ = try show()
        }
        #expect(try show() == "520489")
        #expect(!(try authenticator().log().lines.map(\.event).contains(.tamper)))
    }
}
