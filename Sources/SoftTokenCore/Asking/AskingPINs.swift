// The PIN, asked for until one opens the keystore; a new one, until it is good. Nothing here runs
// before `PassedChecks` exists: no PIN is asked for before the verdict. Bound by DESIGN §1.6, §4 and
// CONTRACT §1 ("Answers").
import Keystore
import Linux

extension Flow {
    /// Asks for the keystore's PIN and opens it. Where a PIN is typed, a wrong one costs its attempt
    /// and is asked for again, a malformed one costs nothing, and a delay is waited out; elsewhere an
    /// answer is one try.
    ///
    /// - Parameters:
    ///   - question: made of the attempts left, where they are fewer than all.
    ///   - unlock: tries the PIN.
    /// - Throws: `AuthenticatorError`; when the person ends it after a refusal, that refusal.
    func session(
        _ checks: PassedChecks, _ person: any Prescriber,
        _ question: (Int?) -> SecretQuestion = { .pin(attemptsLeft: $0) },
        unlocking unlock: (borrowing PINDigits) throws(AuthenticatorError) -> Session
    ) throws(AuthenticatorError) -> Session {
        var attemptsLeft = checks.facts.attemptsLeftIfFewer
        var last: AuthenticatorError?
        if checks.facts.delaySeconds > 0, !checks.facts.beginsDelayAnew {
            last = .keystore(.delayed(seconds: checks.facts.delaySeconds))
        }
        while true {
            do throws(AuthenticatorError) {
                if let refusal = last { try tellAgain(refusal, &last, person) }
                let session = try unlock(try pin(question(attemptsLeft), person))
                if session.wasPutBack { try person.hears(.keystorePutBack) }
                return session
            } catch {
                if let last, error.isOfPerson { throw last }
                guard person.typesPIN, error.isAboutTypedPIN else { throw error }
                attemptsLeft = error.attemptsLeft ?? attemptsLeft
                last = error
            }
        }
    }

    /// Says why it is asked again, and waits where a delay is in force.
    ///
    /// - Parameter last: the refusal as it stands while that goes on.
    private func tellAgain(
        _ refusal: AuthenticatorError, _ last: inout AuthenticatorError?,
        _ person: any Prescriber
    ) throws(AuthenticatorError) {
        try person.hears(.askedAgain(refusal))
        guard let seconds = refusal.secondsToWait else { return }
        let start = try now().boot.nanoseconds
        var left = seconds
        while left > 0 {
            try person.waits(secondsLeft: left)
            let elapsed = try now().boot.nanoseconds &- start
            left = seconds - Int(elapsed / 1_000_000_000)
            last = refusal.waiting(seconds: max(0, left))
        }
    }

    /// Asks for a new PIN, or draws one.
    ///
    /// - Throws: `AuthenticatorError` with `.easyPIN` or `.malformedNewPIN` where it is not typed.
    func newPIN(_ person: any Prescriber) throws(AuthenticatorError) -> PINDigits {
        if person.given.drawsPIN { return try drawnPIN(person) }
        guard person.typesPIN else {
            let pin = try pin(.newPIN, person)
            guard !pin.isEasyToGuess else { throw .init(.easyPIN) }
            return pin
        }
        try person.hears(.choosesPIN)
        while true {
            do throws(AuthenticatorError) {
                let pin = try pin(.newPIN, person)
                guard !pin.isEasyToGuess else { throw .init(.easyPIN) }
                let again = try self.pin(.newPINAgain, person)
                if pin.matches(again) { return pin }
                try person.hears(.pinsDiffer)
            } catch {
                guard error.cause == .malformedNewPIN || error.cause == .easyPIN else {
                    throw error
                }
                try person.hears(.askedAgain(error))
            }
        }
    }

    /// One PIN as it was typed; the bytes around it are gone when this returns.
    func pin(
        _ question: SecretQuestion, _ person: any Prescriber
    ) throws(AuthenticatorError) -> PINDigits {
        let typed = try secret(question, person)
        let pin = try inKeystore(
            try typed.read { (bytes) throws(KeystoreError) in try PINDigits(bytes) })
        guard let pin else {
            let isNew = question == .newPIN || question == .newPINAgain
            throw .init(isNew ? .malformedNewPIN : .malformedPIN)
        }
        return pin
    }

    private func drawnPIN(_ person: any Prescriber) throws(AuthenticatorError) -> PINDigits {
        let pin = try inKeystore(try PINDigits(random: ()))
        // Shown once, to be remembered. Four digits fit into a String itself, not on the heap.
        let digits = pin.read { digits in
            var text = ""
            for index in digits.indices {
                text.unicodeScalars.append(Unicode.Scalar(digits[index]))
            }
            return text
        }
        try person.hears(.drawnPIN(digits))
        return pin
    }
}

extension AuthenticatorError {
    /// What a person who types a PIN can mend by typing again, or waits out.
    fileprivate var isAboutTypedPIN: Bool {
        switch cause {
        case .malformedPIN, .keystore(.wrongPIN), .keystore(.delayed): true
        default: false
        }
    }

    /// The same refusal when so much of its delay is left.
    fileprivate func waiting(seconds: Int) -> AuthenticatorError {
        switch cause {
        case .keystore(.wrongPIN(let left, _)):
            .keystore(.wrongPIN(attemptsLeft: left, delaySeconds: seconds))
        case .keystore(.delayed): .keystore(.delayed(seconds: seconds))
        default: self
        }
    }

    /// The person ended it, or there is nobody who answers: the app's own reason.
    var isOfPerson: Bool {
        guard case .app(let message) = cause else { return false }
        return message.code == .interrupted || message.code == .usage
    }
}

extension KeystoreFacts {
    /// How many attempts are left, where that is fewer than all.
    var attemptsLeftIfFewer: Int? {
        guard let left = attemptsLeft, let limit = attemptLimit, left < limit else { return nil }
        return left
    }
}
