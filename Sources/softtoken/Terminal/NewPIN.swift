// Setting a PIN: typed twice at a terminal until it is acceptable, once elsewhere, or drawn and
// shown once. Bound by CONTRACT §1 and DESIGN §4.
import Keystore
import SoftTokenCore

extension Console {
    private static let explanation =
        "Choose a PIN of four digits. You type it each time you use the token."

    /// Asks for a new PIN, or draws one.
    ///
    /// - Throws: `Failure.malformedPIN`; `AuthenticatorError.easyPIN` where nobody can be asked
    ///   again.
    func newPIN(isRandom: Bool) throws(Failure) -> PINDigits {
        if isRandom { return try drawnPIN() }
        guard isPINTypedTwice else {
            let pin = try pin("the new PIN", prompt: "New PIN: ")
            guard !pin.isEasyToGuess else { throw .authenticator(.easyPIN) }
            return pin
        }
        say(Console.explanation)
        while true {
            if let pin = try typedTwice() { return pin }
        }
    }

    /// One round of typing a PIN twice; nil if it has to be typed again.
    private func typedTwice() throws(Failure) -> PINDigits? {
        do throws(Failure) {
            let pin = try pin("the new PIN", prompt: "New PIN: ")
            guard !pin.isEasyToGuess else {
                say(
                    "This PIN is easy to guess. Choose one without a year, a date, a pattern or "
                        + "repeated digits.")
                return nil
            }
            let again = try self.pin("the new PIN", prompt: "The same PIN again: ")
            guard pin.matches(again) else {
                say("The two PINs are not the same. Type it anew.")
                return nil
            }
            return pin
        } catch {
            guard error == .malformedPIN else { throw error }
            say("A PIN is exactly four digits.")
            return nil
        }
    }

    private func drawnPIN() throws(Failure) -> PINDigits {
        let pin: PINDigits
        do throws(KeystoreError) { pin = try PINDigits(random: ()) } catch {
            throw .authenticator(.keystore(.outOfMemory))
        }
        // Shown once, to be remembered: at the terminal, or to the script that asked for it.
        let digits = pin.read { digits in
            String(decoding: digits.indices.map { digits[$0] }, as: UTF8.self)
        }
        if isInteractive {
            say("Your PIN is \(digits). Remember it: it is not shown again.")
        } else {
            try Output.line(digits)
        }
        return pin
    }
}
