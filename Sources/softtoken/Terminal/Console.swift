// Where answers come from: the terminal when standard input is one, else the next line of standard
// input, and for the PIN the descriptor that --pin-fd names. Each question knows its name, so that
// a missing answer can be named. Bound by CONTRACT §1 ("Answers").
import Linux
import ProgramSupport
import SoftTokenCore

final class Console {
    /// Where questions are asked; nil where nobody can be asked.
    private(set) var terminal: Terminal?
    /// Why there is no terminal although questions belong there: the first of them ends with it.
    private var obstacle: AuthenticatorError?
    private let lines: LineSource?
    private let pinLines: LineSource?
    var given = GivenAnswers()
    /// `--yes`.
    var confirmsAll = false
    /// What a name is asked for with; nil for a new token's.
    var namePrompt: String?
    /// What stands on the screen's last line is overwritten by what comes next.
    private var isCounting = false
    private var isSilenceTold = false
    private var isPINNamed = false

    /// - Parameters:
    ///   - pinDescriptor: `--pin-fd`.
    ///   - isInputTaken: all of standard input is the link (`--from -`): questions go to /dev/tty.
    ///   - needsTerminal: something is shown at the terminal, whatever standard input is.
    init(
        pinDescriptor: Int32?, isInputTaken: Bool = false, needsTerminal: Bool = false
    ) throws(AuthenticatorError) {
        // A terminal echoes what is typed into it; asking there is what happens without the option.
        if let pinDescriptor, isTerminal(pinDescriptor) {
            throw AuthenticatorError(
                .usage, "--pin-fd \(pinDescriptor) is a terminal, which would show the PIN",
                hint: "leave out --pin-fd: the PIN is asked for there, unseen")
        }
        let asksAtTerminal = isTerminal(0) || isInputTaken
        pinLines = try Console.source(pinDescriptor, "the PIN")
        lines = try Console.source(asksAtTerminal ? nil : 0, "the answer")
        // Where all of standard input is the link, only an answer that is asked for is missed.
        let mustHave = asksAtTerminal && !isInputTaken
        guard asksAtTerminal || needsTerminal else { return }
        do throws(SystemError) { terminal = try Terminal() } catch {
            if mustHave { obstacle = .noTerminal(error) }
        }
    }

    private static func source(
        _ number: Int32?, _ question: String
    ) throws(AuthenticatorError) -> LineSource? {
        guard let number else { return nil }
        return try LineSource(descriptor: number, for: question)
    }

    /// Asks for an ordinary line.
    ///
    /// - Parameters:
    ///   - question: what is asked for, as an error names it: "the name".
    ///   - prompt: what a person sees.
    private func line(
        _ question: String, prompt: String, limit: Int = 256
    ) throws(AuthenticatorError) -> String {
        endCounting()
        if let obstacle { throw obstacle }
        if let lines { return try lines.nextLine(question, limit: limit) }
        guard let terminal else { throw .missing(question) }
        return try terminal.readLine(question, prompt, limit: limit)
    }

    /// Tells a person something between questions.
    func say(_ text: String) {
        endCounting()
        guard canBeAsked, let terminal else { return output.note(text) }
        let columns = terminal.device.size().columns
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            for row in wrapped(String(line), columns: columns) { terminal.write(row + "\n") }
        }
    }

    /// A drawn PIN is gone with Enter, where the terminal can take it away.
    private func showOnce(_ text: String) throws(AuthenticatorError) {
        let style = DisplayStyle(
            wantsPlain: false, forbidsColour: true, environment: environmentVariable)
        guard style.form == .screen, let terminal else { return say(text) }
        try terminal.showOnce(
            "the PIN", text + "\n\nPress Enter when you know it: it is gone then. ")
    }

    private func endCounting() {
        if isCounting { terminal?.write("\n") }
        isCounting = false
    }
}

extension Console: Prescriber {
    var canBeAsked: Bool { (terminal != nil || obstacle != nil) && lines == nil }
    var typesPIN: Bool { canBeAsked && pinLines == nil }

    func answer(_ question: Confirmation) throws(AuthenticatorError) -> Confirmation.Answer {
        if confirmsAll { return .yes }
        guard canBeAsked else {
            return try line("the confirmation", prompt: "") == "yes" ? .yes : .no
        }
        for text in question.explanation { say(text) }
        while true {
            switch try line("the confirmation", prompt: "\(question.prompt) [yes/no] ") {
            case "yes": return .yes
            case "no": return .no
            // An Enter too many, at the end of a paste for instance, is no answer.
            case "": continue
            default: say("Type yes or no.")
            }
        }
    }

    func name(
        suggested: String, refusal: AuthenticatorError?
    ) throws(AuthenticatorError) -> String {
        if let refusal { say(sentence(refusal.message)) }
        return try line("the name", prompt: namePrompt ?? "Name of the token [\(suggested)]: ")
    }

    /// Lets a person choose a token by its number, or by how its name begins.
    func choice(of tokens: [Token]) throws(AuthenticatorError) -> Int {
        for (index, token) in tokens.enumerated() {
            say("  \(index + 1)  \(token.name)\(token.issuer.map { "  (\($0))" } ?? "")")
        }
        while true {
            let typed = try line(
                "the choice of token", prompt: "Which token (1 to \(tokens.count))? ")
            if let number = Int(typed), tokens.indices.contains(number - 1) { return number - 1 }
            let named = tokens.indices.filter { tokens[$0].name.hasPrefix(typed) }
            if let exact = named.first(where: { tokens[$0].name == typed }) { return exact }
            if named.count == 1, !typed.isEmpty { return named[0] }
            say("Type a number from 1 to \(tokens.count), or how the name of one token begins.")
        }
    }

    func secret(
        _ question: SecretQuestion, into answer: inout OutputSpan<UInt8>
    ) throws(AuthenticatorError) {
        endCounting()
        if let obstacle, !question.isPIN || pinLines == nil { throw obstacle }
        let name = question.name
        if question.isPIN, let pinLines { return try pinLines.nextSecret(name, into: &answer) }
        if let lines { return try lines.nextSecret(name, into: &answer) }
        guard let terminal else { throw .missing(name) }
        // Before the prompt, because what is typed at once must not be shown.
        try running(try terminal.device.silence())
        // One text with the prompt: from its first word on Ctrl-C ends as it does at the prompt.
        let explanation = question.explanation.map { $0 + "\n" } ?? ""
        if question == .link {
            return try terminal.readSecret(name, explanation, .secretText, into: &answer)
        }
        let told = explanation + notes(on: question, rows: terminal.device.size().rows)
        try terminal.readSecret(name, "\(told)\(question.prompt): ", .secret, into: &answer)
    }

    /// Once, which PIN is wanted, and that nothing is shown. A window too low for it shows the question
    /// alone.
    private func notes(on question: SecretQuestion, rows: Int) -> String {
        let words = [
            isPINNamed ? nil : question.whichPIN,
            isSilenceTold ? nil : "Nothing is shown while you type.",
        ].compactMap(\.self)
        isPINNamed = isPINNamed || question.whichPIN != nil
        isSilenceTold = true
        return rows < 8 || words.isEmpty ? "" : words.joined(separator: " ") + "\n"
    }

    func waits(secondsLeft: Int) throws(AuthenticatorError) {
        guard let terminal else { return }
        isCounting = true
        do throws(AuthenticatorError) {
            // In one line: what is wider than the window can't be written over.
            let end = terminal.device.size().columns < 27 ? "." : "; Ctrl-C ends."
            try terminal.pause(
                "\rWait \(secondsLeft) s\(end) ", before: "the PIN", milliseconds: 1000)
        } catch {
            // What is told next has a line of its own.
            endCounting()
            throw error
        }
    }

    func hears(_ news: News) throws(AuthenticatorError) {
        switch news {
        case .keystorePutBack, .otherKey, .leftInTPM: output.warning(news.words)
        case .waitingForAnother: output.note(news.words)
        // A script that asked for it reads it from standard output.
        case .drawnPIN(let digits) where !canBeAsked: try output.line(digits)
        case .drawnPIN: try showOnce(news.words)
        case .askedAgain(let error) where error.remedy == .drawPIN:
            say(news.words.dropLast() + ": end with Ctrl-C and add --random-pin.")
        default: say(news.words)
        }
    }
}

extension SecretQuestion {
    fileprivate var isPIN: Bool {
        switch self {
        case .link, .activationCode: false
        case .pin, .currentPIN, .newPIN, .newPINAgain: true
        }
    }

    /// Which PIN is wanted, where the question doesn't say it.
    fileprivate var whichPIN: String? {
        switch self {
        case .pin, .currentPIN: "Type the PIN of the keystore on this device."
        default: nil
        }
    }
}

/// "A PIN is exactly four digits."
func sentence(_ message: String?) -> String {
    guard let message else { return "" }
    return message.prefix(1).uppercased() + message.dropFirst() + "."
}
