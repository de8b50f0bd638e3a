// `softtoken demo`: the ordinary steps with a sample link of a sample issuer, in a throw-away
// keystore, for someone who has no account. Bound by CONTRACT §1 (`demo`).
import ArgumentParser
import Linux
import ProgramSupport
import SoftTokenCore

struct DemoCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Try everything with a sample token that is thrown away.",
        discussion: """
            Nothing of yours is touched: the keystore lies in a temporary folder and is removed at \
            the end. Without a terminal the demo answers for itself and prints one OTP.
            """)
    @OptionGroup var pin: PINOptions
    @OptionGroup var colour: ColourOptions

    func execute(_ context: inout Context) throws(AuthenticatorError) {
        var authenticator = try Authenticator(sampleConfinedTo: .process)
        let rolls = isTerminal(0) && isTerminal(1)
        let console = try Console(pinDescriptor: pin.pinDescriptor, needsTerminal: rolls)
        let sample = Sample()
        console.say(
            "A sample issuer mails this link (shortened), and sends its code on another way:")
        console.say("  \(sample.link.prefix(46))…\n  activation code \(sample.code)\n")
        let person = SampleAnswers(console: console, code: sample.code)
        _ = try authenticator.activate(try GivenLink(unguarded: sample.link), asking: person)
        let session = try authenticator.show(
            for: rolls ? .session(atMostSeconds: nil) : .once, asking: person)
        if rolls, let terminal = console.terminal {
            let style = DisplayStyle(
                wantsPlain: false, forbidsColour: colour.forbidsColor,
                environment: environmentVariable)
            try roll(session, style, terminal)
        } else {
            try output.line(session.current().digits)
        }
        output.note("The sample token is thrown away; nothing of yours was touched.")
    }
}

/// Who answers in the demo: for what belongs to the sample the demo itself, for name and PIN the
/// person, where there is one.
private struct SampleAnswers: Prescriber {
    let console: Console
    let code: String
    let canBeAsked = true

    func answer(_ question: Confirmation) throws(AuthenticatorError) -> Confirmation.Answer {
        switch question {
        case .sendsPrescriptions: .no
        case .clockIsRight, .trusts, .removes, .resets: .yes
        }
    }

    func name(
        suggested: String, refusal: AuthenticatorError?
    ) throws(AuthenticatorError) -> String {
        console.canBeAsked ? try console.name(suggested: suggested, refusal: refusal) : suggested
    }

    func choice(of tokens: [Token]) throws(AuthenticatorError) -> Int { 0 }

    func secret(
        _ question: SecretQuestion, into answer: inout OutputSpan<UInt8>
    ) throws(AuthenticatorError) {
        switch question {
        case .activationCode: for byte in code.utf8 { answer.append(byte) }
        // A PIN that guards nothing, for the keystore that is thrown away.
        case _ where !console.canBeAsked: for byte in "5093".utf8 { answer.append(byte) }
        default: try console.secret(question, into: &answer)
        }
    }

    func waits(secondsLeft: Int) throws(AuthenticatorError) {
        try console.waits(secondsLeft: secondsLeft)
    }

    func hears(_ news: News) throws(AuthenticatorError) {
        guard console.canBeAsked else { return }
        // A demo draws no PIN.
        if case .askedAgain(let error) = news, error.remedy == .drawPIN {
            return console.say(sentence(error.message))
        }
        try console.hears(news)
    }
}

/// A link of a sample issuer: this program has no way to make one. It is
/// Tests/ActivationTests/Vectors/ok-sample.txt, from RFC 4226's own seed, and ends in 2100.
private struct Sample {
    let link = """
        softtoken:activate#eyJhbGciOiJFZERTQSIsInR5cCI6InNvZnR0b2tlbitqd3QiLCJqd2siOnsia\
        3R5IjoiT0tQIiwiY3J2IjoiRWQyNTUxOSIsIngiOiJ4aEdVMVZJQko3OElPRmVNajVSZi1kWDFWZVVtX\
        2NjRU95anNDUktOMmxnIn19.eyJpc3MiOiJTYW1wbGUgQ2xpbmljIiwic3ViIjoieW91QHNhbXBsZS5l\
        eGFtcGxlIiwianRpIjoiUnZjYWZMTnlCQy1oeV9MS0hBLVJwZyIsImlhdCI6MTczNTY4OTYwMCwiZXhw\
        Ijo0MTAyNDQ0ODAwLCJzdCI6eyJ2IjoxLCJraW5kIjoic29mdCIsInNlcmlhbCI6IlNBTVBMRS0xIiwi\
        dHlwZSI6InRvdHAiLCJhbGdvcml0aG0iOiJTSEExIiwiZGlnaXRzIjo2LCJzZWVkIjp7ImJ5IjoiY29k\
        ZSIsInNhbHQiOiIxNzdpdFlTN29DZkJrMy1LbU1NLVhnIiwib3BzIjoyLCJtZW0iOjY3MTA4ODY0LCJu\
        b25jZSI6IjNoX1FnM0JVNlJsLTE5bXMxQzFCVVVLTWszUjBPQ2lEIiwiYm94IjoiaE1sUjMyVkU2R3dG\
        UzkwRVRkd0xKLXlGcmJyeWt6NXAxZzhNM0U4cmtqU20ybkNiIn0sInBlcmlvZCI6MzB9fQ.z71Jr5XiB\
        ndhS2NzzVWjCThZ6SLD4LenbxqT7Ocjmmu6D4tTQ63N-RuhzRfmQqtuTniRwvkN3FXdcxVinHSTAQ
        """
    /// As a person would read it.
    let code = "7G3KQ-0ZMX1"
}
