// The administrator's policy holds where its file is hidden, and the log hears of what was destroyed.
// Source: DESIGN §6, Keystore/FORMAT.md §5.
import Activation
import Device
import Foundation
import Keystore
import Linux
import Synchronization
import Testing

@testable import SoftTokenCore

private let activation =
    "otpauth://totp/ACME:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=ACME"

@Suite("What sticks", .serialized) struct StickingPolicyTests: MadeUpUses {
    let home = MadeUpHome()
    let clock = MadeUpClock(1_111_111_109)
    let link = activation

    private func device(
        _ policy: String?, _ findings: [DeviceEnvironment.Finding] = []
    ) throws -> DeviceFacts {
        var device = DeviceFacts.ordinary
        device.environment = DeviceEnvironment(findings)
        device.policy = try policy.map {
            try AdministratorPolicy(parsing: Array($0.utf8).span)
        }
        return device
    }

    private func activate(_ device: DeviceFacts) throws { try activate(on: device) }

    /// Any right PIN sees the policy, on an unverified device too.
    private func see(_ policy: String) throws {
        let flow = try authenticator(device(policy))
        let checks = try flow.check(.manage, answers: Answers(isInteractive: false))
        _ = try Unlocked(flow, try flow.unlock(try madeUpPIN("5093"), checks))
    }

    private func show(_ device: DeviceFacts) throws {
        _ = try show(on: device, isAttested: true)
    }

    @Test(
        "What the policy asked for holds where it is hidden, and no longer than it stands",
        arguments: [DeviceEnvironment.Finding.userNamespace, .filtered, .container, .unreadable])
    func hidden(where finding: DeviceEnvironment.Finding) throws {
        try activate(device(nil))
        let strict = #"{"separation":"strict","attempts":4,"session":60}"#
        let hidden = try device(nil, [finding])
        // It was never seen: an attestation does.
        try show(hidden)
        // An unverified device is refused by it, and any right PIN sees it: `rename` asks for one.
        var flow = try authenticator(device(strict))
        let checks = try flow.check(.manage, answers: Answers(isInteractive: false))
        var unlocked = try Unlocked(flow, try flow.unlock(try madeUpPIN("5093"), checks))
        try unlocked.rename(unlocked.tokens[0], to: "renamed")
        #expect(throws: AuthenticatorError.self) { try show(hidden) }
        flow = try authenticator(hidden)
        let facts = try flow.facts()
        #expect(facts.policy == TokenPolicy(attempts: 4, sessionSeconds: 60, separation: .strict))
        #expect(facts.attemptsLeft == 4)
        // A milder one that was made up there changes nothing.
        #expect(throws: AuthenticatorError.self) {
            try show(device(#"{"separation":"attest","unsigned":true}"#, [finding]))
        }
        // That there is no file says nothing; one that can be believed does, and the log has it.
        #expect(throws: AuthenticatorError.self) { try show(device(nil)) }
        #expect(try loosenings() == 0)
        try show(device("{}"))
        #expect(try loosenings() == 1)
        try show(hidden)
        #expect(try !authenticator(hidden).facts().mayBeOlder)
        #expect(try !authenticator(hidden).log().lines.contains { $0.event == .tamper })
    }

    private func loosenings() throws -> Int {
        try authenticator(device(nil)).log().lines.count {
            $0.event == .device && $0.detail == "the administrator's policy allows more than before"
        }
    }

    @Test("That a policy could not be kept stands in the log")
    func unkept() throws {
        try activate(device(nil))
        let blocked = home.path + "/data/keystore.new"
        try FileManager.default.createDirectory(
            atPath: blocked + "/x", withIntermediateDirectories: true)
        try show(device(#"{"session":60}"#))
        let lines = try authenticator(device(nil)).log().lines
        #expect(lines.dropLast().last?.detail == "the administrator's policy could not be kept")
        #expect(lines.last?.event == .otp)
        try FileManager.default.removeItem(atPath: blocked)
        try show(device(#"{"session":60}"#))
        #expect(try authenticator(device(nil)).facts().policy.sessionSeconds == 60)
    }

    @Test("What holds is told, and whose it is")
    func told() throws {
        try activate(device(nil))
        try show(device(#"{"session":60,"unsigned":false}"#))
        let hidden = try authenticator(device(nil, [.userNamespace]))
        let rules = hidden.rules(try hidden.facts())
        #expect(
            rules.map { "\($0.name) \($0.value) \($0.source)" } == [
                "attempts number(10) standard", "session number(60) administrator",
                "separation word(\"attest\") standard", "unsigned truth(false) administrator",
                "remote truth(false) standard",
            ])
    }

    @Test(
        "An older keystore is refused where a policy can be hidden: it need not have seen one",
        arguments: [[], ["state/log-head"], ["state/log"], ["state/log-key"]])
    func putBack(lost: [String]) throws {
        try activate(device(nil))
        let names = ["data/keystore", "data/attempts", "state/attempts", "state/log-head"]
        let old = names.map { FileManager.default.contents(atPath: home.path + "/" + $0) }
        try show(device(#"{"attempts":9}"#))
        for (name, bytes) in zip(names, old) where lost != [] || name == "data/keystore" {
            let file = try FileHandle(forWritingTo: URL(filePath: home.path + "/" + name))
            try file.truncate(atOffset: 0)
            try file.write(contentsOf: #require(bytes))
        }
        for name in lost { try FileManager.default.removeItem(atPath: home.path + "/" + name) }
        for finding in [DeviceEnvironment.Finding.userNamespace, .filtered, .unreadable] {
            let flow = try authenticator(device(nil, [finding]))
            for purpose in [Purpose.show, .manage] {
                #expect(throws: AuthenticatorError(.policyNotTold)) {
                    _ = try flow.check(
                        purpose, answers: Answers(isInteractive: false, isAttested: true))
                }
            }
        }
        // Only root makes a container without a user namespace, and could do anything else.
        try show(device(nil, [.container]))
    }

    @Test(
        "What the checks judged is what the PIN is tried on",
        arguments: [#"{"separation":"strict"}"#, #"{"unsigned":false}"#])
    func meanwhile(policy: String) throws {
        try activate(device(nil))
        let path = home.path + "/data/keystore"
        let lax = try #require(FileManager.default.contents(atPath: path))
        try see(policy)
        let seen = try #require(FileManager.default.contents(atPath: path))
        func put(_ bytes: Data) throws {
            let file = try FileHandle(forWritingTo: URL(filePath: path))
            try file.truncate(atOffset: 0)
            try file.write(contentsOf: bytes)
        }
        // In a container an older keystore is opened; that it is another one by now is noticed.
        let flow = try authenticator(device(nil, [.container]))
        try put(lax)
        let checks = try flow.check(
            .show, answers: Answers(isInteractive: false, isAttested: true))
        try put(seen)
        let clearance = try flow.clearance(checks)
        #expect(throws: AuthenticatorError.keystore(.changed)) {
            _ = try flow.unlock(try madeUpPIN("5093"), clearance)
        }
        #expect(try flow.facts().attemptsLeft == 10)
    }

    @Test("A policy that was laid down while the PIN was typed is not missed, nor written back")
    func changedMeanwhile() throws {
        try activate(device("{}"))
        let isAsRead = Mutex(true)
        var waiting = try device("{}")
        waiting.isConfigurationAsRead = { isAsRead.withLock { $0 } }
        let flow = try authenticator(waiting)
        let answers = Answers(isInteractive: false, isAttested: true)
        let checks = try flow.check(.manage, answers: answers)
        let clearance = try flow.clearance(try flow.check(.show, answers: answers))
        var session = try flow.unlock(try madeUpPIN("5093"), clearance)
        try flow.release(&session)
        isAsRead.withLock { $0 = false }
        try see(#"{"separation":"strict"}"#)
        #expect(throws: AuthenticatorError(.configurationChanged)) {
            _ = try flow.unlock(try madeUpPIN("9999"), checks)
        }
        let token = session.tokens[0]
        #expect(throws: AuthenticatorError(.configurationChanged)) {
            _ = try flow.makeOTPs(&session, of: token, seconds: 0, clearance)
        }
        let facts = try authenticator(device(nil)).facts()
        #expect(facts.attemptsLeft == 10)
        #expect(facts.policy.separation == .strict)
    }

    @Test(
        "What can have been made up is attested anew at each use, what can't once",
        arguments: [
            (DeviceEnvironment.Finding.userNamespace, true), (.filtered, true), (.unreadable, true),
            (.container, false), (.virtualMachine, false),
        ])
    func attestedAnew(finding: DeviceEnvironment.Finding, isAnew: Bool) throws {
        try activate(device(nil, [finding]))
        let flow = try authenticator(device(nil, [finding]))
        let again = Result { try flow.check(.show, answers: Answers(isInteractive: false)) }
        #expect(((try? again.get()) == nil) == isAnew)
    }

    @Test("The first keystore keeps the policy that it was made under, and unsigned links too")
    func atActivation() throws {
        try activate(device(#"{"session":60}"#))
        let hidden = try authenticator(device(nil, [.userNamespace]))
        #expect(try hidden.facts().policy.sessionSeconds == 60)
        func activateUnsigned() throws {
            _ = try hidden.check(
                .activate(nil), answers: Answers(isInteractive: false, isAttested: true))
        }
        try activateUnsigned()
        try show(device(#"{"unsigned":false}"#))
        #expect(throws: AuthenticatorError(.unsignedLink)) { try activateUnsigned() }
    }

    @Test(
        "What was destroyed is told once by the log, and again after anything else",
        arguments: [
            (["data/attempts", "state/attempts"], "both attempt records are missing or altered"),
            (["state/device-share"], "the device share is missing or damaged"),
        ])
    func destroyed(names: [String], detail: String) throws {
        try activate(device(nil))
        for name in names { try FileManager.default.removeItem(atPath: home.path + "/" + name) }
        let flow = try authenticator(device(nil))
        func refused() {
            #expect(throws: AuthenticatorError.self) {
                _ = try flow.check(.show, answers: Answers(isInteractive: false))
            }
        }
        func told() throws -> Int {
            try flow.log().lines.count { $0.event == .tamper && $0.detail == detail }
        }
        for _ in 0..<3 { refused() }
        #expect(try told() == 1)
        try flow.logged([AuditEntry(.attest, .ok, detail: "anything")])
        for _ in 0..<2 { refused() }
        #expect(try told() == 2)
    }

    @Test("A damaged keystore is told; another device's folders are left as they are")
    func damagedOrForeign() throws {
        try activate(device(nil))
        let path = home.path + "/data/keystore"
        let whole = try #require(FileManager.default.contents(atPath: path))
        let before = try authenticator(device(nil)).log().lines.count
        var foreign = try device(nil)
        foreign.machineID = { MachineValues([.machineID: .bytes(Array("else".utf8))]) }
        #expect(throws: AuthenticatorError.self) { try show(foreign) }
        #expect(try authenticator(device(nil)).log().lines.count == before)
        var damaged = whole
        damaged[300] ^= 1
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        try file.write(contentsOf: damaged)
        #expect(throws: AuthenticatorError.self) { try show(device(nil)) }
        #expect(
            try authenticator(device(nil)).log().lines.last?.detail == "the keystore is damaged")
    }
}
