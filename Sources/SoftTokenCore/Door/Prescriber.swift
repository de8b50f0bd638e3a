// The person who answers. What is asked, in which order, what is asked again and what ends the use are
// this module's (Asking/); an app brings the answers, and draws. Bound by DESIGN §2 ("The core asks,
// the app answers") and CONTRACT §1 ("Answers").

/// Who answers: a person at a terminal or a window, a script with its answers ready, a demo.
///
/// It is called on the thread that called the ``Authenticator``, one question at a time, never while
/// the keystore's lock is held. Whatever it throws ends the use: ``AuthenticatorError/interrupted``,
/// or an error of the app's own. It must not call the authenticator.
public protocol Prescriber {
    /// A person is there: what is no answer is asked for again. Otherwise an answer is one try, and
    /// attestation, clock and trust are not asked for, but taken from `given`.
    var canBeAsked: Bool { get }
    /// A PIN is typed unseen: a new one is asked for twice, a wrong or malformed one again. The same
    /// as `canBeAsked` unless an app says otherwise.
    var typesPIN: Bool { get }
    /// What was said beforehand. Nothing unless an app says otherwise.
    var given: GivenAnswers { get }

    /// Answers yes or no, as the person did: silence and a closed window are neither, and end the use.
    /// A no to ``Confirmation/sendsPrescriptions(because:)`` attests. `question.prompt` says it in
    /// words.
    func answer(_ question: Confirmation) throws(AuthenticatorError) -> Confirmation.Answer

    /// Names a token.
    ///
    /// - Parameters:
    ///   - suggested: what an empty answer stands for.
    ///   - refusal: why the name before this one can't be taken; nil at first.
    func name(
        suggested: String, refusal: AuthenticatorError?
    ) throws(AuthenticatorError) -> String

    /// Chooses one of several tokens: its index.
    func choice(of tokens: [Token]) throws(AuthenticatorError) -> Int

    /// Writes a secret into the authenticator's guarded memory, byte by byte as it arrives, and keeps
    /// no copy: never through a `String`.
    ///
    /// - Parameters:
    ///   - question: which secret; `question.prompt` says it in words.
    ///   - answer: has room for `question.capacity` bytes; a longer answer fills it to the end and is
    ///     then no answer.
    func secret(
        _ question: SecretQuestion, into answer: inout OutputSpan<UInt8>
    ) throws(AuthenticatorError)

    /// Shows that a delay is in force, and returns after a second at most; then it is called again
    /// until the delay is over. Only called where `typesPIN`.
    func waits(secondsLeft: Int) throws(AuthenticatorError)

    /// Is told something between questions; `news.words` says it.
    func hears(_ news: News) throws(AuthenticatorError)
}

extension Prescriber {
    public var typesPIN: Bool { canBeAsked }
    public var given: GivenAnswers { GivenAnswers() }
}

/// What was said before anything is asked: the options of a command. CONTRACT §1.
public struct GivenAnswers: Sendable {
    /// The prescriber attests that no prescriptions are sent from this device.
    public var isAttested = false
    /// The date that the device shows, as YYYY-MM-DD: the clock is confirmed by it.
    public var date: String?
    /// The fingerprint of an issuer's key that is to be trusted, in the spelling of
    /// ``Authenticator/fingerprint(_:)``.
    public var trustedFingerprint: String?
    /// The new token's name; empty for the suggested one.
    public var name: String?
    /// A new PIN is drawn and told once (``News/drawnPIN(_:)``) instead of asked for.
    public var drawsPIN = false
    /// What holds the device's share of the key. Nil: in a new keystore the chip where there is one that
    /// counts wrong PINs as it must, else a file; under a new PIN what holds it now.
    public var protector: ProtectorChoice?

    public init() {}
}

/// What holds the device's share of the key. DESIGN §5.
public enum ProtectorChoice: String, Sendable, CaseIterable {
    case deviceFile = "device-file"
    case tpm2
}
