// What a suite does that uses one home again and again: activate a link, show an OTP.
import Activation
import Keystore
import Linux

@testable import SoftTokenCore

protocol MadeUpUses {
    var home: MadeUpHome { get }
    var clock: MadeUpClock { get }
    /// An otpauth link.
    var link: String { get }
}

extension MadeUpUses {
    func authenticator(_ device: DeviceFacts = .ordinary) throws -> Flow {
        let clock = clock
        return try Flow(place: home.place, device: device) { () throws(SystemError) in
            clock.reading()
        }
    }

    /// Activates a link under the PIN 5093, in a new keystore or in the one that is there.
    func activate(
        _ link: String? = nil, named name: String = "mine", on device: DeviceFacts = .ordinary
    ) throws {
        var authenticator = try authenticator(device)
        let checks = try authenticator.check(
            .activate(nil), answers: Answers(isInteractive: false, isAttested: true))
        let clearance = try authenticator.clearance(checks)
        guard case .unsigned(let enrolment) = try readLink(Array((link ?? self.link).utf8).span)
        else { throw MadeUpError.malformed }
        var session =
            try checks.facts.isOpenable
            ? authenticator.unlock(madeUpPIN("5093"), clearance)
            : authenticator.create(madeUpPIN("5093"), policy: TokenPolicy(), clearance)
        _ = try authenticator.activate(
            &session, enrolment, from: nil, named: name, trusting: nil, clearance)
    }

    func show(
        _ pin: String = "5093", seconds: Int = 0, on device: DeviceFacts = .ordinary,
        isAttested: Bool = false
    ) throws -> DisplaySession {
        let authenticator = try authenticator(device)
        let checks = try authenticator.check(
            .show, answers: Answers(isInteractive: false, isAttested: isAttested))
        let clearance = try authenticator.clearance(checks)
        var session = try authenticator.unlock(try madeUpPIN(pin), clearance)
        return try authenticator.makeOTPs(
            &session, of: session.tokens[0], seconds: seconds, clearance)
    }

    /// A token that waits to be chosen: the PIN was right, and the lock is let go.
    func waiting<R>(
        _ body: (Flow, inout Session, borrowing SeparationClearance) throws -> R
    ) throws -> R {
        let authenticator = try authenticator()
        let checks = try authenticator.check(.show, answers: Answers(isInteractive: false))
        let clearance = try authenticator.clearance(checks)
        var session = try authenticator.unlock(try madeUpPIN("5093"), clearance)
        try authenticator.release(&session)
        return try body(authenticator, &session, clearance)
    }
}
