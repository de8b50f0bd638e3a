// `softtoken pin`: changes the PIN. Bound by CONTRACT §1.
import ArgumentParser
import Keystore
import SoftTokenCore

struct PINCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "pin", abstract: "Change the PIN.")
    @Flag(
        name: .customLong("random-pin"), help: "Draw the new PIN and show it once.")
    var isRandom = false
    @OptionGroup var common: CommonOptions

    func execute(_ context: inout Context) throws(Failure) {
        let authenticator = try context.authenticator()
        let console = try Console(pinDescriptor: common.pinDescriptor)
        let asked = try AskedPIN(authenticator, console, prompt: "Current PIN")
        // A script's new PIN is judged before the old one is tried: 64 and 88 come before 77.
        guard isRandom || console.isPINTypedTwice else {
            let pin = try console.newPIN(isRandom: false)
            var session = try asked.open(authenticator)
            // The count is reset before another Argon2id: a kill in it must not cost an attempt.
            try settle(&session, authenticator)
            return try set(pin, &session, authenticator)
        }
        var session = try asked.open(authenticator)
        try settle(&session, authenticator)
        try set(try console.newPIN(isRandom: isRandom), &session, authenticator)
    }

    private func settle(
        _ session: inout Session, _ authenticator: borrowing Authenticator
    ) throws(Failure) {
        try authenticating { () throws(AuthenticatorError) in
            try authenticator.settle(&session)
        }
    }

    private func set(
        _ pin: borrowing PINDigits, _ session: inout Session,
        _ authenticator: borrowing Authenticator
    ) throws(Failure) {
        try authenticating { () throws(AuthenticatorError) in
            try authenticator.setPIN(&session, pin)
        }
        Output.note("the PIN was changed")
    }
}
