// What anybody can be refused without a PIN, as often as he likes, does not fill the log. Source:
// CONTRACT §3 (`log`).
import Activation
import Device
import Keystore
import Testing

@testable import SoftTokenCore

@Suite("Refusals in the log") struct RefusalTests: MadeUpUses {
    let home = MadeUpHome()
    let clock = MadeUpClock(1_111_111_109)
    let link = "otpauth://totp/ACME:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=ACME"

    /// Two refusals in turn, three times each, and another device's link.
    private func refusals() throws {
        for _ in 0..<3 {
            for login in [LoginPlace.remote, .untold] {
                var device = DeviceFacts.ordinary
                device.login = login
                #expect(throws: AuthenticatorError.self) {
                    _ = try authenticator(device).check(
                        .activate(nil), answers: Answers(isInteractive: false))
                }
            }
            try authenticator().reject(.sealedToAnotherDevice)
        }
    }

    private func entries() throws -> Int { try authenticator().log().lines.count }

    @Test("Each is told once, once more after a day, and once more after a use")
    func once() throws {
        try refusals()
        #expect(try entries() == 3)
        clock.set(clock.reading().unixSeconds + 86_399)
        try refusals()
        #expect(try entries() == 3)
        clock.set(clock.reading().unixSeconds + 1)
        try refusals()
        #expect(try entries() == 6)
        try activate()
        let count = try entries()
        try refusals()
        #expect(try entries() == count + 3)
        #expect(try authenticator().log().flaw == nil)
    }

    @Test("A delay is told once for each wrong PIN, however often it is met")
    func delays() throws {
        try activate()
        for _ in 0..<5 { #expect(throws: AuthenticatorError.self) { _ = try show("9999") } }
        func delays() throws -> Int {
            try authenticator().log().lines.count { $0.event == .delay }
        }
        for _ in 0..<3 {
            clock.set(clock.reading().unixSeconds + 1)
            #expect(throws: AuthenticatorError.self) { _ = try show() }
        }
        #expect(try delays() == 1)
        clock.set(clock.reading().unixSeconds + 30)
        for _ in 0..<3 { #expect(throws: AuthenticatorError.self) { _ = try show("9999") } }
        #expect(try delays() == 2)
    }

    @Test("A record of this very device is told once")
    func ownRecord() throws {
        for _ in 0..<3 {
            #expect(throws: AuthenticatorError.self) {
                try authenticator().checkIsAnotherDevice(try DeviceFacts.recordOfItself)
            }
        }
        #expect(try entries() == 1)
    }
}
