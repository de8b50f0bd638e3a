// What can't be recorded is not done: no attempt, no change. Source: Keystore/FORMAT.md §10.
import Activation
import Glibc
import Keystore
import Linux
import Testing

@testable import SoftTokenCore

@Suite("What can't be recorded", .serialized) struct RecordedTests {
    private let home = MadeUpHome()
    private let clock = MadeUpClock(1_800_000_000)

    private func authenticator() throws -> Flow {
        let clock = clock
        return try Flow(
            place: home.place, device: .ordinary
        ) { () throws(SystemError) in clock.reading() }
    }

    private func activate() throws {
        var authenticator = try authenticator()
        let checks = try authenticator.check(
            .activate(nil), answers: Answers(isInteractive: false, isAttested: true))
        let clearance = try authenticator.clearance(checks)
        let link = "otpauth://totp/a?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        guard case .unsigned(let enrolment) = try readLink(Array(link.utf8).span) else { return }
        var session = try authenticator.create(
            madeUpPIN("5093"), policy: TokenPolicy(), clearance)
        _ = try authenticator.activate(
            &session, enrolment, from: nil, named: "mine", trusting: nil, clearance)
    }

    private func unlock(_ pin: String) throws {
        let authenticator = try authenticator()
        let checks = try authenticator.check(.show, answers: Answers(isInteractive: false))
        var session = try authenticator.unlock(madeUpPIN(pin), authenticator.clearance(checks))
        try authenticator.endUse(&session)
    }

    @Test("An attempt that can't be recorded is not made", arguments: ["5093", "7204"])
    func attempt(pin: String) throws {
        try activate()
        let log = home.place.statePath + "/log"
        #expect(rename(log, log + ".aside") == 0)
        #expect(mkdir(log, 0o700) == 0)
        #expect(throws: AuthenticatorError.self) { try unlock(pin) }
        #expect(try authenticator().facts().attemptsLeft == 10)
        #expect(rmdir(log) == 0)
        #expect(rename(log + ".aside", log) == 0)
        try unlock("5093")
        #expect(try authenticator().log().flaw == nil)
    }

    @Test("The space for the next entries is taken, and the log is no longer for it")
    func reserved() throws {
        try activate()
        let folders = try KeystoreFolders.openOrCreate(
            dataPath: home.place.dataPath, statePath: home.place.statePath)
        func inspected() -> stat {
            var info = stat()
            _ = stat(home.place.statePath + "/log", &info)
            return info
        }
        let before = inspected()
        try AuditLog.checkWritable(folders, for: .change)
        let after = inspected()
        #expect(after.st_size == before.st_size)
        #expect(after.st_blocks * 512 >= after.st_size + 4096)
        #expect(try AuditLog.read(folders).flaw == nil)
    }
}
