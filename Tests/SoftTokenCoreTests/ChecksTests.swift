// The order of events before a PIN: each check, and which comes first where several apply.
// Source: CONTRACT §2 ("Where several apply"), DESIGN §6, §7.
import Activation
import Device
import Keystore
import Linux
import Testing

@testable import SoftTokenCore

@Suite("Before any PIN") struct ChecksTests {
    private func check(
        _ purpose: Purpose = .show, _ device: DeviceFacts = .ordinary,
        answers: Answers = Answers(isInteractive: false)
    ) throws(AuthenticatorError) -> PassedChecks {
        let home = MadeUpHome()
        let clock = MadeUpClock(1_800_000_000)
        let authenticator = try Flow(
            place: home.place, device: device
        ) { () throws(SystemError) in clock.reading() }
        return try authenticator.check(purpose, answers: answers)
    }

    @Test("Without a keystore nothing is asked")
    func missing() {
        #expect(throws: AuthenticatorError.keystore(.missing)) { try check() }
    }

    @Test("A marked computer is refused before anything else, for each purpose")
    func marked() throws {
        var device = DeviceFacts.ordinary
        device.marker = .record(try DeviceFacts.recordOfItself)
        device.login = .remote
        for purpose in [Purpose.show, .manage, .activate(nil)] {
            #expect {
                try check(purpose, device)
            } throws: { error in
                guard case .sameDevice(let evidence) = (error as? AuthenticatorError)?.cause else {
                    return false
                }
                return evidence.names.contains("marker") && evidence.label == "laptop"
            }
        }
    }

    @Test("A damaged marker still refuses")
    func damagedMarker() {
        var device = DeviceFacts.ordinary
        device.marker = .damaged
        #expect(
            throws: AuthenticatorError.sameDevice(SeparationEvidence(label: "", signs: [.marker]))
        ) { try check(.manage, device) }
    }

    @Test("A remote login is refused before the keystore is looked at")
    func remote() {
        var device = DeviceFacts.ordinary
        device.login = .remote
        #expect(throws: AuthenticatorError(.remoteLogin)) { try check(.manage, device) }
    }

    @Test("A login that can't be told is refused as a remote one; a container's is not")
    func loginNotTold() {
        var device = DeviceFacts.ordinary
        device.login = .untold
        #expect(throws: AuthenticatorError(.loginNotTold)) { try check(.show, device) }
        #expect(AuthenticatorError(.loginNotTold).exitCode == .remoteLogin)
        device.login = .container
        #expect(throws: AuthenticatorError.keystore(.missing)) { try check(.show, device) }
    }

    @Test(
        "The administrator can allow remote logins, where the policy can't have been made up",
        arguments: [LoginPlace.remote, .untold])
    func remoteAllowed(login: LoginPlace) throws {
        var device = DeviceFacts.ordinary
        device.login = login
        device.policy = try AdministratorPolicy(
            parsing: Array(#"{"remote":true}"#.utf8).span)
        #expect(throws: AuthenticatorError.keystore(.missing)) { try check(.show, device) }
    }

    @Test("Strict separation refuses what is not shown, before the keystore is looked at")
    func strict() throws {
        var device = DeviceFacts.ordinary
        device.policy = try AdministratorPolicy(
            parsing: Array(#"{"separation":"strict"}"#.utf8).span)
        #expect(throws: AuthenticatorError(.separationNotVerified(.noRecord))) {
            try check(.show, device)
        }
    }

    @Test("An unsigned link is refused where the administrator forbids it")
    func unsigned() throws {
        var device = DeviceFacts.ordinary
        device.policy = try AdministratorPolicy(
            parsing: Array(#"{"unsigned":false}"#.utf8).span)
        #expect(throws: AuthenticatorError(.unsignedLink)) {
            try check(.activate(nil), device)
        }
    }

    @Test("Off a terminal a missing attestation is refused, at one it is a question")
    func attestation() throws {
        #expect(throws: AuthenticatorError.attestationMissing(.noRecord)) {
            try check(.activate(nil))
        }
        let asked = try check(.activate(nil), answers: Answers(isInteractive: true))
        #expect(asked.attestationReason == .noRecord)
        let given = try check(
            .activate(nil), answers: Answers(isInteractive: false, isAttested: true))
        #expect(given.attestationReason == nil)
    }

    @Test("A date that is not this device's is refused, whatever the clock")
    func contradicted() {
        #expect(throws: AuthenticatorError(.clockContradicted)) {
            try check(
                .activate(nil),
                answers: Answers(isInteractive: true, isClockConfirmed: false))
        }
    }
}
