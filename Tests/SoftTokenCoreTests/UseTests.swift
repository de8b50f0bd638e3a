// A keystore's life through the one door: activation, OTPs, records, the clock's baseline, a wrong
// PIN, erasure, and what the log says of it. Source: DESIGN §4, §6, §7, §8.
import Activation
import Device
import Glibc
import Linux
import OTP
import Synchronization
import Testing

@testable import Keystore
@testable import SoftTokenCore

private let activation =
    "otpauth://totp/ACME:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=ACME&digits=8"

@Suite("One use after the other", .serialized) struct UseTests: MadeUpUses {
    let home = MadeUpHome()
    let clock = MadeUpClock(1_111_111_109)
    let link = activation

    /// RFC 6238 Appendix B, SHA-1: 1111111109 → 07081804, the next step 1111111111 → 14050471.
    @Test("The OTPs of a session are RFC 6238's, from now to its end")
    func session() throws {
        try activate()
        let once = try show()
        #expect(once.current().digits == "07081804")
        #expect(once.otpCount == 1)
        let session = try show(seconds: 300)
        #expect(session.current().digits == "07081804")
        #expect(session.otpCount == 11)
        clock.set(1_111_111_111)
        let next = session.frame(at: clock.reading())
        guard case .showing(let showing) = next else { throw MadeUpError.malformed }
        #expect(showing.otp.digits == "14050471")
        let lines = try authenticator().log().lines
        #expect(lines.map(\.event) == [.attest, .activate, .otp, .otp])
        #expect(try authenticator().log().flaw == nil)
    }

    @Test("A device that is registered while a prompt waits makes no OTP, and no attempt is spent")
    func registeredMeanwhile() throws {
        try activate()
        let isRegistered = Mutex(false)
        var device = DeviceFacts.ordinary
        device.isMarkerThere = { isRegistered.withLock { $0 } }
        let authenticator = try authenticator(device)
        let refusal = AuthenticatorError.sameDevice(
            SeparationEvidence(label: "", signs: [.marker]))
        func cleared() throws -> SeparationClearance {
            try authenticator.clearance(
                authenticator.check(.show, answers: Answers(isInteractive: false)))
        }

        let atThePIN = try cleared()
        isRegistered.withLock { $0 = true }
        #expect(throws: refusal) {
            let session = try authenticator.unlock(try madeUpPIN("6093"), atThePIN)
            _ = session.tokens
        }
        isRegistered.withLock { $0 = false }
        let atTheChoice = try cleared()
        var session = try authenticator.unlock(try madeUpPIN("5093"), atTheChoice)
        isRegistered.withLock { $0 = true }
        let token = session.tokens[0]
        #expect(throws: refusal) {
            _ = try authenticator.makeOTPs(&session, of: token, seconds: 0, atTheChoice)
        }
        #expect(try authenticator.facts().attemptsLeft == 10)
        #expect(try authenticator.log().lines.suffix(2).map(\.event) == [.refuse, .refuse])
    }

    @Test("What this device is gets read where there is a record to compare it with, and has to be")
    func identityReading() throws {
        try activate()
        var unreadable = DeviceFacts.ordinary
        unreadable.identity = { () throws(SystemError) in
            throw SystemError(.read, "/sys", code: EACCES)
        }
        let authenticator = try authenticator(unreadable)
        let checks = try authenticator.check(.manage, answers: Answers(isInteractive: false))
        let another = try DeviceFacts.recordOfAnother
        #expect(throws: AuthenticatorError.self) { try authenticator.checkIsAnotherDevice(another) }
        var session = try authenticator.unlock(try madeUpPIN("5093"), checks)
        try authenticator.forbid(&session, another)
        #expect {
            _ = try authenticator.check(.manage, answers: Answers(isInteractive: false))
        } throws: { error in
            (error as? AuthenticatorError)?.exitCode == .inputOutput
        }
        unreadable.marker = .record(another)
        #expect(throws: AuthenticatorError.self) {
            try unreadable.verdict(records: [], marker: unreadable.marker)
        }
    }

    @Test("A record of this device refuses each use from then on")
    func records() throws {
        try activate()
        let authenticator = try authenticator()
        #expect(throws: AuthenticatorError.self) {
            try authenticator.checkIsAnotherDevice(DeviceFacts.recordOfItself)
        }
        let another = try DeviceFacts.recordOfAnother
        try authenticator.checkIsAnotherDevice(another)
        let checks = try authenticator.check(.manage, answers: Answers(isInteractive: false))
        var session = try authenticator.unlock(
            try madeUpPIN("5093"), checks)
        try authenticator.forbid(&session, another)
        #expect(try authenticator.facts().records == [another])
        #expect(try authenticator.verdict(authenticator.facts()) == .separate)
        var frontDesk = DeviceFacts.ordinary
        frontDesk.identity = {
            DeviceIdentity([Identifier(.productUUID, Array("uuid-of-front-desk".utf8))])
        }
        let there = try self.authenticator(frontDesk)
        #expect {
            _ = try there.check(.manage, answers: Answers(isInteractive: false))
        } throws: { error in
            guard case .sameDevice(let evidence) = (error as? AuthenticatorError)?.cause else {
                return false
            }
            return evidence.label == "front desk"
        }
    }

    @Test("An attestation is asked for again when a verdict that was separate no longer is")
    func attestedAgain() throws {
        try activate()
        let authenticator = try authenticator()
        #expect(try authenticator.facts().attestedUnixSeconds == 1_111_111_109)
        let checks = try authenticator.check(.manage, answers: Answers(isInteractive: false))
        var session = try authenticator.unlock(
            try madeUpPIN("5093"), checks)
        try authenticator.forbid(&session, try DeviceFacts.recordOfAnother)
        // Separate now: the attestation is let go.
        let separate = try authenticator.check(.show, answers: Answers(isInteractive: false))
        #expect(separate.verdict == .separate)
        _ = try authenticator.unlock(try madeUpPIN("5093"), try authenticator.clearance(separate))
        var contained = DeviceFacts.ordinary
        contained.environment = DeviceEnvironment([.container])
        let later = try self.authenticator(contained)
        #expect(throws: AuthenticatorError.attestationMissing(.environment(.container))) {
            _ = try later.check(.show, answers: Answers(isInteractive: false))
        }
    }

    @Test("A clock before the last use is refused until somebody confirms it")
    func baseline() throws {
        try activate()
        clock.set(1_111_111_109 - 301, isSynchronized: false)
        #expect(
            throws: AuthenticatorError.clockUnconfirmed(.beforeBaseline(1_111_111_109))
        ) { _ = try show() }
        clock.set(1_111_111_109 - 300, isSynchronized: false)
        _ = try show()
        clock.set(1_111_111_109 - 1000, isSynchronized: true)
        _ = try show()
        clock.set(1_111_111_109 - 1000, isSynchronized: false)
        let authenticator = try authenticator()
        func confirmed(_ pin: String) throws {
            let checks = try authenticator.check(
                .show, answers: Answers(isInteractive: false, isClockConfirmed: true))
            let clearance = try authenticator.clearance(checks)
            _ = try authenticator.unlock(try madeUpPIN(pin), clearance)
        }
        // Who does not know the PIN can't confirm for the prescriber.
        #expect(throws: AuthenticatorError.self) { try confirmed("5094") }
        #expect(throws: AuthenticatorError.self) { _ = try show() }
        // The confirmation sets the baseline anew.
        try confirmed("5093")
        _ = try show()
    }

    @Test("An attestation is kept with the right PIN, and not before it")
    func attestedWithThePIN() throws {
        try activate()
        try #require(unlink(home.path + "/state/attestation") == 0)
        let authenticator = try authenticator()
        func attested(_ pin: String) throws {
            let checks = try authenticator.check(
                .show, answers: Answers(isInteractive: false, isAttested: true))
            let clearance = try authenticator.clearance(checks)
            _ = try authenticator.unlock(try madeUpPIN(pin), clearance)
        }
        let logged = try authenticator.log().lines.count
        #expect(throws: AuthenticatorError.self) { try attested("5094") }
        #expect(try authenticator.facts().attestedUnixSeconds == nil)
        #expect(try authenticator.log().lines[logged...].map(\.event) == [.unlock])
        try attested("5093")
        #expect(try authenticator.facts().attestedUnixSeconds == 1_111_111_109)
        #expect(try authenticator.log().lines.last?.event == .attest)
    }

    @Test("No OTP of a step after the token's end is made")
    func expiringToken() throws {
        try activate()
        let whole = try show(seconds: 300)
        #expect(whole.otpCount == 11)
        let token = Token(whole.token.metadata.expiring(at: 1_111_111_109 + 61))
        let authenticator = try authenticator()
        let checks = try authenticator.check(.show, answers: Answers(isInteractive: false))
        let clearance = try authenticator.clearance(checks)
        var session = try authenticator.unlock(try madeUpPIN("5093"), clearance)
        #expect(try authenticator.sessionSeconds(session, of: token) == 61)
        let cut = try authenticator.makeOTPs(&session, of: token, seconds: 300, clearance)
        // From the current step, which has a second left, to the one that holds the token's last
        // second.
        #expect(cut.otpCount == 3)
    }

    @Test("Wrong PINs count, delay, erase; a new activation begins anew")
    func erasure() throws {
        try activate()
        var now: Int64 = 1_111_111_109
        for count in 1...9 {
            #expect {
                _ = try show("9999")
            } throws: { error in
                guard case .keystore(.wrongPIN(let left, _)) = (error as? AuthenticatorError)?.cause
                else {
                    return false
                }
                return left == 10 - count
            }
            let delay = AttemptRecord.delaySeconds(count: count)
            if delay > 0 {
                #expect(throws: AuthenticatorError.keystore(.delayed(seconds: delay))) {
                    _ = try show()
                }
            }
            now += Int64(delay)
            clock.set(now)
        }
        #expect(throws: AuthenticatorError.keystore(.erasedNow)) { _ = try show("9999") }
        #expect(throws: AuthenticatorError.keystore(.erased(atUnixSeconds: now))) {
            _ = try show()
        }
        #expect(try authenticator().facts().state == .erased)
        try activate()
        #expect(try authenticator().facts().state == .locked)
        #expect(try authenticator().log().flaw == nil)
    }
}

extension TokenMetadata {
    /// The same token with an end.
    fileprivate func expiring(at seconds: Int64) -> TokenMetadata {
        TokenMetadata(
            id: id, slot: slot, name: name, issuer: issuer, account: account, serial: serial,
            parameters: parameters, activatedUnixSeconds: activatedUnixSeconds,
            pendingUntilUnixSeconds: nil, expiresUnixSeconds: seconds, origin: origin,
            warnings: warnings, policy: policy)
    }
}
