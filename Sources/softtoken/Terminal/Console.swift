// Where answers come from: the terminal when standard input is one, else the next line of standard
// input, and for the PIN the descriptor that --pin-fd names. Each question knows its name, so that
// a missing answer can be named. Bound by CONTRACT §1 ("Answers").
import Activation
import Keystore
import Linux
import SoftTokenCore

/// The answers of one command.
struct Console: ~Copyable {
    /// Where questions are asked; nil where nobody can be asked.
    let terminal: Terminal?
    private let lines: LineSource?
    private let pinLines: LineSource?

    /// A person can be asked.
    var isInteractive: Bool { terminal != nil && lines == nil }
    /// A new PIN is asked for twice: nobody sees what they type.
    var isPINTypedTwice: Bool { isInteractive && pinLines == nil }

    /// - Parameters:
    ///   - pinDescriptor: `--pin-fd`.
    ///   - isInputTaken: all of standard input is the link (`--from -`): questions go to /dev/tty.
    ///   - needsTerminal: something is shown at the terminal, whatever standard input is.
    init(
        pinDescriptor: Int32?, isInputTaken: Bool = false, needsTerminal: Bool = false
    ) throws(Failure) {
        // A terminal echoes what is typed into it; asking there is what happens without the option.
        if let pinDescriptor, isTerminal(pinDescriptor) {
            throw .usage(
                "--pin-fd \(pinDescriptor) is a terminal, which would show the PIN",
                hint: "leave out --pin-fd: the PIN is asked for there, unseen")
        }
        let asksAtTerminal = isTerminal(0) || isInputTaken
        let pins = try Console.source(pinDescriptor, "the PIN")
        let answers = try Console.source(asksAtTerminal ? nil : 0, "the answer")
        // Where all of standard input is the link, only an answer that is asked for is missed.
        let mustHave = asksAtTerminal && !isInputTaken
        let device = try Console.device(
            isWanted: asksAtTerminal || needsTerminal, mustHave: mustHave)
        pinLines = pins
        lines = answers
        terminal = device
    }

    private static func source(
        _ number: Int32?, _ question: String
    ) throws(Failure) -> LineSource? {
        guard let number else { return nil }
        return try answering(question) { () throws(AnswerError) in
            try LineSource(descriptor: number)
        }
    }

    private static func device(isWanted: Bool, mustHave: Bool) throws(Failure) -> Terminal? {
        guard isWanted else { return nil }
        do throws(SystemError) { return try Terminal() } catch {
            guard !mustHave else { throw .system(error) }
            return nil
        }
    }

    /// Asks for an ordinary line.
    ///
    /// - Parameters:
    ///   - question: what is asked for, as an error names it: "the name".
    ///   - prompt: what a person sees.
    func line(
        _ question: String, prompt: String, limit: Int = 256
    ) throws(Failure) -> String {
        try answering(question) { () throws(AnswerError) in
            if let lines { return try lines.nextLine(limit: limit) }
            guard let terminal else { throw .missing }
            return try terminal.readLine(prompt, limit: limit)
        }
    }

    /// Asks a yes-or-no question; yes is `yes`.
    func isYes(_ question: String, prompt: String) throws(Failure) -> Bool {
        try line(question, prompt: prompt) == "yes"
    }

    /// Asks for a secret that is not the PIN: an activation code.
    func secret(
        _ question: String, prompt: String, limit: Int = 64
    ) throws(Failure) -> SecureBytes? {
        try answering(question) { () throws(AnswerError) in
            if let lines { return try lines.nextSecret(limit: limit) }
            guard let terminal else { throw .missing }
            return try terminal.readSecret(prompt, limit: limit)
        }
    }

    /// Asks for a link, or a whole mail pasted at a terminal.
    func linkText(prompt: String) throws(Failure) -> SecureBytes? {
        try takingLink { () throws(AnswerError) in
            if let lines {
                return try lines.nextSecret(limit: LinkText.maximumByteCount)
            }
            guard let terminal else { throw .missing }
            return try terminal.readSecretText(prompt, limit: LinkText.maximumByteCount)
        }
    }

    /// Asks for a PIN.
    ///
    /// - Throws: `Failure.malformedPIN`; no attempt is spent.
    func pin(_ question: String = "the PIN", prompt: String) throws(Failure) -> PINDigits {
        let typed = try answering(question) { () throws(AnswerError) in
            if let pinLines { return try pinLines.nextSecret(limit: 64) }
            if let lines { return try lines.nextSecret(limit: 64) }
            guard let terminal else { throw .missing }
            return try terminal.readSecret(prompt)
        }
        guard let typed, let pin = try digits(typed) else { throw .malformedPIN }
        return pin
    }

    private func digits(_ typed: borrowing SecureBytes) throws(Failure) -> PINDigits? {
        do throws(KeystoreError) {
            return try typed.read { (bytes) throws(KeystoreError) in try PINDigits(bytes) }
        } catch { throw .authenticator(.keystore(.outOfMemory)) }
    }

    /// Tells a person something between questions.
    func say(_ text: String) {
        if isInteractive, let terminal {
            let columns = terminal.device.size().columns
            for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
                for row in wrapped(String(line), columns: columns) { terminal.write(row + "\n") }
            }
        } else {
            Output.note(text)
        }
    }
}
