// The person who answers: their lines come through standard input, which stands for a keypad. The
// article AnAppOfYourOwn shows this file.
import Glibc
import SoftTokenCore

/// A person at a keypad that types a line for each question.
struct Keypad: Prescriber {
    var canBeAsked = true
    var given = GivenAnswers()

    func answer(_ question: Confirmation) throws(AuthenticatorError) -> Confirmation.Answer {
        for line in question.explanation { say(line) }
        while true {
            say("\(question.prompt) [yes/no]")
            // What is neither is asked again: a no may permit as much as a yes.
            switch try Keypad.line() {
            case "yes": return .yes
            case "no": return .no
            default: continue
            }
        }
    }

    func name(
        suggested: String, refusal: AuthenticatorError?
    ) throws(AuthenticatorError) -> String {
        if let message = refusal?.message { say(message) }
        say("Name [\(suggested)]")
        return try Keypad.line()
    }

    func choice(of tokens: [Token]) throws(AuthenticatorError) -> Int {
        while true {
            say("Which of \(tokens.map(\.name).joined(separator: ", "))")
            let name = try Keypad.line()
            if let index = tokens.firstIndex(where: { $0.name == name }) { return index }
        }
    }

    func secret(
        _ question: SecretQuestion, into answer: inout OutputSpan<UInt8>
    ) throws(AuthenticatorError) {
        if let text = question.explanation { say(text) }
        say(question.prompt)
        while let byte = try Keypad.byte() {
            // The core judges an answer that fills its memory: it is too long.
            if !answer.isFull { answer.append(byte) }
        }
    }

    func waits(secondsLeft: Int) throws(AuthenticatorError) {
        say("Wait \(secondsLeft) s")
        sleep(1)
    }

    func hears(_ news: News) throws(AuthenticatorError) { say(news.words) }

    private func say(_ words: String) { print("?", words) }
}

extension Keypad {
    /// The next line; nothing but what is no secret is read so.
    static func line() throws(AuthenticatorError) -> String {
        var bytes: [UInt8] = []
        while let byte = try byte() { bytes.append(byte) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The next byte of the line; nil at its end. No buffer is between the keypad and the core.
    private static func byte() throws(AuthenticatorError) -> UInt8? {
        var byte: UInt8 = 0
        guard read(STDIN_FILENO, &byte, 1) == 1 else { throw .interrupted }
        return byte == UInt8(ascii: "\n") ? nil : byte
    }
}
