// Used links taken away or put back: a link that was used stays used as long as anything is left that
// knows of it, and a link of later is taken. Source: Keystore/FORMAT.md §11.
import Activation
import Foundation
import Keystore
import Linux
import Testing

@testable import SoftTokenCore

extension SignedLinkTests {
    private static let start: Int64 = 1_800_000_000
    private static let records = ["data/attempts", "state/attempts"]

    private func path(_ name: String) -> String { home.path + "/" + name }

    func save(_ names: [String]) -> [String: Data?] {
        var files: [String: Data?] = [:]
        for name in names { files[name] = FileManager.default.contents(atPath: path(name)) }
        return files
    }

    /// Puts files back, and takes away those that were not there.
    func putBack(_ files: [String: Data?]) {
        for (name, bytes) in files {
            try? FileManager.default.removeItem(atPath: path(name))
            guard let bytes else { continue }
            #expect(
                FileManager.default.createFile(
                    atPath: path(name), contents: bytes, attributes: [.posixPermissions: 0o600]))
        }
    }

    private func takeAway(_ names: [String]) { putBack(save(names).mapValues { _ in nil }) }

    private func show() throws {
        let authenticator = try authenticator()
        let checks = try authenticator.check(
            .show, answers: Answers(isInteractive: false, isAttested: true))
        let clearance = try authenticator.clearance(checks)
        var session = try authenticator.unlock(madeUpPIN("5093"), clearance)
        let token = try #require(session.tokens.first)
        _ = try authenticator.makeOTPs(&session, of: token, seconds: 0, clearance)
    }

    @Test(
        "The keystore that holds a link's token tells that it is used, whatever stands beside it",
        arguments: [
            ["state/used-links"], ["state/used-links", "state/log-head"],
            ["state/used-links", "state/log-head", "state/log"],
            ["state/used-links", "state/log-head", "state/log"] + records,
        ], [false, true])
    func besideTheKeystore(names: [String], isFirst: Bool) throws {
        if !isFirst { try activate(link(), named: "first") }
        // As it is behind a kill between the saved keystore and the rest, `used-links.new` removed.
        clock.set(SignedLinkTests.start + 60)
        try otherwiseNew()
        let saved = save(names)
        let second = try link(issuedAt: SignedLinkTests.start + 50)
        try activate(second, named: "second")
        putBack(saved)
        #expect(throws: AuthenticatorError(.linkUsed)) { try activate(second, named: "third") }
        // One that was issued later is taken, whatever was used in between.
        clock.set(SignedLinkTests.start + 1000)
        try show()
        try activate(link(issuedAt: SignedLinkTests.start + 700), named: "third")
        #expect(throws: AuthenticatorError(.linkUsed)) { try activate(second, named: "fourth") }
        #expect(try tampers() > 0)
    }

    /// A keystore without a signed link's token, where there is none.
    private func otherwiseNew() throws {
        guard !FileManager.default.fileExists(atPath: path("data/keystore")) else { return }
        var authenticator = try authenticator()
        let checks = try authenticator.check(
            .activate(nil), answers: Answers(isInteractive: false, isAttested: true))
        let clearance = try authenticator.clearance(checks)
        let text = "otpauth://totp/A:b?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=A"
        guard case .unsigned(let enrolment) = try readLink(Array(text.utf8).span) else {
            throw MadeUpError.malformed
        }
        var session = try authenticator.create(
            madeUpPIN("5093"), policy: enrolment.terms.policy, clearance)
        _ = try authenticator.activate(
            &session, enrolment, from: nil, named: "otp", trusting: nil, clearance)
    }

    @Test(
        "A link that was issued by a clock ahead of this one stays used without the list",
        arguments: [250, 1000])
    func issuedAhead(seconds: Int64) throws {
        let ahead = try link(issuedAt: SignedLinkTests.start + seconds)
        try activate(ahead)
        takeAway(["state/used-links"])
        #expect(throws: AuthenticatorError(.linkUsed)) { try activate(ahead, named: "again") }
        _ = try authenticator().reset()
        #expect(throws: AuthenticatorError(.linkUsed)) { try activate(ahead, named: "again") }
        try activate(link(issuedAt: SignedLinkTests.start + seconds + 100), named: "newer")
    }

    @Test(
        "Without the log's head nothing is known of what was issued until five minutes later",
        arguments: [
            ["log-head"], ["log-key"], ["log-head", "log"], ["log-key", "log-head", "log"],
        ], [false, true])
    func withoutHead(names: [String], isReset: Bool) throws {
        let first = try link()
        try activate(first)
        try show()
        if isReset { _ = try authenticator().reset() }
        takeAway((["used-links"] + names).map { "state/" + $0 })
        // Where a keystore, its tombstone, a log or its key are left; else everything is new.
        guard !isReset || names != ["log-key", "log-head", "log"] else { return }
        #expect(throws: AuthenticatorError(.linkUsed)) { try activate(first, named: "again") }
        #expect(throws: AuthenticatorError(.linkUsed)) {
            try activate(link(issuedAt: SignedLinkTests.start + 299), named: "again")
        }
        // That time was written down: it does not move with the clock.
        clock.set(SignedLinkTests.start + 1000)
        if !isReset { try show() }
        try activate(link(issuedAt: SignedLinkTests.start + 310), named: "newer")
        #expect(throws: AuthenticatorError(.linkUsed)) { try activate(first, named: "third") }
        try activate(link(issuedAt: SignedLinkTests.start + 310), named: "fourth")
    }

    @Test(
        "Of a keystore that was put back nothing is known of what was issued until five minutes later",
        arguments: [[], ["state/log-head"], ["state/log-head", "log"]])
    func olderKeystore(names: [String]) throws {
        try activate(link(), named: "first")
        let saved = save(
            ["data/keystore", "state/used-links"] + SignedLinkTests.records
                + names.filter { $0.contains("/") })
        let second = try link()
        try activate(second, named: "second")
        try show()
        putBack(saved)
        if names.contains("log") { takeAway(["state/log"]) }
        // That it was put back is found, and written down, with the next right PIN; without the log
        // with the one behind it, too.
        for _ in 0..<2 { try show() }
        #expect(throws: AuthenticatorError(.linkUsed)) { try activate(second, named: "again") }
        clock.set(SignedLinkTests.start + 1000)
        try show()
        try activate(link(issuedAt: SignedLinkTests.start + 310), named: "newer")
        #expect(throws: AuthenticatorError(.linkUsed)) { try activate(second, named: "again") }
    }

    @Test(
        "After a reset, nothing is known with the head of before and a log that is not of then",
        arguments: ["longer", "gone", "altered"])
    func headOfBefore(log: String) throws {
        try activate(link(), named: "first")
        let saved = save(["state/used-links", "state/log-head"])
        let second = try link()
        try activate(second, named: "second")
        if log == "longer" { putBack(saved) }
        _ = try authenticator().reset()
        putBack(saved)
        if log == "gone" { takeAway(["state/log"]) }
        if log == "altered" { putBack(["state/log": Data("anything\n".utf8)]) }
        #expect(throws: AuthenticatorError(.linkUsed)) { try activate(second, named: "again") }
        clock.set(SignedLinkTests.start + 1000)
        try activate(link(issuedAt: SignedLinkTests.start + 310), named: "newer")
        #expect(throws: AuthenticatorError(.linkUsed)) { try activate(second, named: "again") }
    }

    @Test(
        "The head and the list of before, and the log left, make no link unused after a reset",
        arguments: [false, true])
    func headBeforeReset(refused: Bool) throws {
        try activate(link(), named: "first")
        let saved = save(["state/used-links", "state/log-head"])
        let second = try link()
        try activate(second, named: "second")
        putBack(saved)
        if refused {
            try authenticator().logged([AuditEntry(.refuse, .refused, detail: "remote login")])
        }
        _ = try authenticator().reset()
        #expect(throws: AuthenticatorError(.linkUsed)) { try activate(second, named: "again") }
    }

    @Test("A list of used links without a log and its key is no new home's")
    func withoutLog() throws {
        let first = try link()
        try activate(first)
        _ = try authenticator().reset()
        takeAway(["state/log", "state/log-key"])
        #expect(throws: AuthenticatorError(.linkUsed)) { try activate(first, named: "again") }
        try activate(link(issuedAt: SignedLinkTests.start + 310), named: "newer")
    }

    @Test("A kill between the entry of an activation and the head costs new links five minutes")
    func headBehind() throws {
        try activate(link(), named: "first")
        let saved = save(["state/log-head"])
        let second = try link()
        try activate(second, named: "second")
        putBack(saved)
        #expect(throws: AuthenticatorError(.linkUsed)) { try activate(second, named: "again") }
        #expect(throws: AuthenticatorError(.linkUsed)) { try activate(link(), named: "third") }
        clock.set(SignedLinkTests.start + 1000)
        try activate(link(issuedAt: SignedLinkTests.start + 310), named: "third")
        #expect(try tampers() == 0)
    }

    @Test("From the next right PIN on the head tells what the keystore does, through a reset, too")
    func headAfterTheKeystore() throws {
        try activate(link(), named: "first")
        clock.set(SignedLinkTests.start + 400)
        let saved = save(["state/used-links", "state/log-head", "state/log"])
        let second = try link(issuedAt: SignedLinkTests.start + 400)
        try activate(second, named: "second")
        putBack(saved)
        try show()
        _ = try authenticator().reset()
        #expect(throws: AuthenticatorError(.linkUsed)) { try activate(second, named: "again") }
    }

    @Test(
        "A generation is even, above the one before, and no link of it or of before was issued later",
        arguments: [
            [3, start, start, start + 300], [3, start + 1, start + 1, start + 302],
            [3, start + 1000, start, start + 1000], [start + 500, start, start, start + 502],
        ])
    func generation(times: [Int64]) throws {
        let (former, issued, now, next) = (times[0], times[1], times[2], times[3])
        let key = try AuditLog.key(folders()).macKey(.usedLinks)
        let content = UsedLinks.Content(generation: UInt64(former))
        putBack(["state/used-links": Data(UsedLinks.encoded(content, key))])
        let prepared = try UsedLinks.prepare(
            link(issuedAt: issued), tokenID: 7, tokens: [], named: 0, folders: folders(),
            unixSeconds: now)
        #expect(prepared.generation == UInt64(next))
    }

    @Test("The highest generation that there is has none above it, and stops nothing")
    func highest() throws {
        try activate(link(), named: "first")
        let key = try AuditLog.key(folders())
        let content = UsedLinks.Content(generation: 1 << 63)
        let file = try UsedLinks.encoded(content, key.macKey(.usedLinks))
        putBack(["state/used-links": Data(file)])
        for name in ["second", "third"] { try activate(link(), named: name) }
        #expect(Vouched.untoldUsedLinks(unixSeconds: 0, above: 1 << 63) == UInt64.max >> 1)
    }

    @Test("A keystore that could not be saved leaves its link unused", arguments: [false, true])
    func notSaved(isFirst: Bool) throws {
        if !isFirst { try activate(link(), named: "first") }
        try otherwiseNew()
        let second = try link()
        let blocked = path("data/keystore.new/x")
        try FileManager.default.createDirectory(
            atPath: blocked, withIntermediateDirectories: true)
        #expect(throws: AuthenticatorError.self) { try activate(second, named: "second") }
        try FileManager.default.removeItem(atPath: path("data/keystore.new"))
        try activate(second, named: "second")
        #expect(throws: AuthenticatorError(.linkUsed)) { try activate(second, named: "third") }
        #expect(try tampers() == 0)
    }
}
