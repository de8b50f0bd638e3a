// Why the authenticator did not do what it was asked: the one error of this module, public for what a
// caller can act on, with its cause inside. Words/Messages.swift says each cause in words.
// Bound by CONTRACT §2, DESIGN §1.9 and STYLE 13, 16.
import Activation
import Device
import Keystore
package import Linux

/// What kept something from being done: what it was, its exit code, what happened and what to do in a
/// prescriber's words, and what a caller can act on. It never holds what was typed, nor a secret.
public struct AuthenticatorError: Error, Equatable, Sendable {
    let cause: Cause

    init(_ cause: Cause) { self.cause = cause }

    /// An app's own reason to end a use, thrown by its `Prescriber`: a window was closed, the input
    /// ended.
    ///
    /// - Parameters:
    ///   - exitCode: how a program ends with it.
    ///   - message: what happened: lower case, no full stop; nil if it was said already.
    ///   - hint: what to do next, in the same form.
    public init(_ exitCode: ExitStatus, _ message: String?, hint: String? = nil) {
        cause = .app(Message(exitCode, message, hint: hint))
    }

    /// What the system answered to a program of this package.
    package init(_ error: SystemError) { cause = .system(error) }

    /// What is wrong with a file that a program of this package was given.
    package init(file problem: FileProblem) { cause = .keystore(.problem(problem)) }

    /// The person ended the use: Ctrl-C, a button. Nothing is said about it.
    public static let interrupted = AuthenticatorError(.interrupted, nil)

    /// Only root can do this.
    public static let needsRoot = AuthenticatorError(.device(.notRoot))

    /// How a program ends with it. CONTRACT §2.
    public var exitCode: ExitStatus { cause.message.code }
    /// What happened and why: one line, lower case, no full stop; nil if it was said already.
    public var message: String? { cause.message.error }
    /// What to do next, in the same form, whatever the app; nil where there is nothing to do, or where
    /// `remedy` says all.
    public var hint: String? { cause.message.hint }
    /// What of the hint the authenticator has a call or an answer for, so that an app can offer it.
    public var remedy: Remedy? { cause.message.remedy }
    /// How many attempts are left before the keystore is erased; nil unless the PIN was wrong.
    public var attemptsLeft: Int? {
        switch cause {
        case .keystore(.wrongPIN(let left, _)): left
        case .keystore(.erasedNow), .keystore(.closedByChip): 0
        default: nil
        }
    }
    /// How long the next try has to wait, seconds; nil where nothing has to be waited for.
    public var secondsToWait: Int? {
        switch cause {
        case .keystore(.wrongPIN(_, let delay)): delay > 0 ? delay : nil
        case .keystore(.delayed(let seconds)): seconds
        default: nil
        }
    }
    /// What it was.
    public var kind: Kind { cause.kind }

    /// What an app tells apart; the exit code tells more, the message all.
    public enum Kind: Sendable {
        /// Decided by a rule or a policy: trying again changes nothing by itself.
        case refused
        /// Malformed, damaged or not authentic.
        case rejected
        /// The environment did not cooperate.
        case failed
        /// What was typed is no answer; nothing was spent.
        case malformedAnswer
        case wrongPIN
        case delayed
        /// The keys are destroyed: a new link is needed.
        case erased
        /// There is no keystore, or no such token.
        case notFound
        /// The app's own reason, given to `init(_:_:hint:)`.
        case ownReason
    }
}

extension AuthenticatorError {
    /// What an app can offer after an error: the words for it, an option's or a button's, are its own.
    public enum Remedy: Equatable, Sendable {
        /// ``GivenAnswers/isAttested``, if it is true.
        case attest
        /// ``GivenAnswers/date``.
        case confirmDate
        /// ``GivenAnswers/trustedFingerprint``, once it was compared.
        case trustIssuer(fingerprint: String)
        /// ``GivenAnswers/drawsPIN``.
        case drawPIN
        /// Not ``GivenAnswers/drawsPIN``: the keystore has a PIN.
        case keepPIN
        /// ``Authenticator/changePIN(asking:)``, with ``GivenAnswers/protector``.
        case moveShare
        /// A yes to the ``Confirmation``.
        case confirm
        /// ``Authenticator/activate(_:asking:)``.
        case activate
        /// ``Unlocked/tokens``.
        case listTokens
        /// ``Unlocked/issuers``.
        case listIssuers
        /// ``Authenticator/reset(asking:)``.
        case reset
    }

    /// What happened, exactly. Payloads are what a caller can act on.
    enum Cause: Equatable, Sendable {
        // MARK: refused
        /// This is the prescribing device (80).
        case sameDevice(SeparationEvidence)
        /// Over the network (87).
        case remoteLogin
        /// Perhaps over the network (87).
        case loginNotTold
        /// An older keystore was put back where the administrator's policy can't be told (81).
        case policyNotTold
        /// The administrator changed policy or issuers while the command waited.
        case configurationChanged
        /// Policy wants separation verified, and it is not (81).
        case separationNotVerified(UnverifiedReason)
        /// The prescriber has not attested (81).
        case attestationMissing(UnverifiedReason)
        /// The prescriber said that this is the prescribing device (81).
        case attestationDenied
        /// The clock can't be right and nobody confirmed it (86).
        case clockUnconfirmed(ClockDoubt)
        /// The date that was given is not this device's (86).
        case clockContradicted
        /// The administrator forbids unsigned links (88).
        case unsignedLink
        /// Nobody trusts the issuer's signing key (88).
        case untrustedIssuer(fingerprint: String, IssuerStanding)
        /// The PIN is easy to guess (88).
        case easyPIN
        /// The record to be forbidden is this device's own (80).
        case recordOfThisDevice(SeparationEvidence)

        // MARK: rejected
        /// The link, code, request or issuer file (65).
        case activation(ActivationError)
        /// The prescribing record (65), or the mark of this computer (73, 74, 78).
        case device(DeviceError)
        /// The link's time is over (84).
        case linkExpired
        /// The link has been used here, or may have been: files were lost or put back (84).
        case linkUsed
        /// The token's time is over (85).
        case tokenExpired
        /// The HOTP counter is at its end (85).
        case counterExhausted
        /// The log is not whole (65).
        case logNotWhole(AuditFlaw)

        // MARK: answers (64, 66)
        case malformedPIN
        case malformedNewPIN
        case unacceptableName
        case noSuchToken(nearest: String? = nil)
        case ambiguousToken([String])
        /// A new keystore's PIN can be drawn, another's is there already.
        case hasPIN
        /// The share of a keystore that is there is kept by the other protector.
        case hasProtector
        /// Yes was not said, by a script.
        case notConfirmed(Deed)
        /// A person said no.
        case declined(Deed)
        case noSuchIssuer
        case administratorsIssuer
        case unacceptableLabel

        // MARK: the keystore
        case keystore(KeystoreError)

        // MARK: configuration
        /// A file of the administrator's that is not root's alone, or is malformed (78).
        case configuration(path: String, reason: String)
        /// Neither HOME nor the XDG folders are set (78).
        case noHome
        /// XDG_DATA_HOME and XDG_STATE_HOME are one folder (78).
        case oneFolder
        /// The system did not cooperate outside of the keystore (73, 74).
        case system(SystemError)

        /// The app's own.
        case app(Message)
    }

    /// What only a yes brings about.
    enum Deed: Equatable, Sendable { case removing, resetting }
}

/// Why the clock can't be right (DESIGN §7).
enum ClockDoubt: Equatable, Sendable {
    /// It shows an earlier time than this device has seen already, Unix seconds.
    case beforeBaseline(Int64)
    /// It shows an earlier time than the link was made at, Unix seconds.
    case beforeLink(Int64)
}

// So that `throw .linkUsed` reads as it would for an enum.
extension AuthenticatorError {
    static func untrustedIssuer(
        fingerprint: String, _ standing: IssuerStanding = .new
    ) -> Self {
        Self(.untrustedIssuer(fingerprint: fingerprint, standing))
    }
    static func activation(_ error: ActivationError) -> Self { Self(.activation(error)) }
    static func keystore(_ error: KeystoreError) -> Self { Self(.keystore(error)) }
    static func system(_ error: SystemError) -> Self { Self(.system(error)) }
}

// Each floor's error in this module's. An autoclosure knows what its one expression throws; a closure
// has to be told.

func inKeystore<R: ~Copyable>(
    _ body: () throws(KeystoreError) -> R
) throws(AuthenticatorError) -> R {
    do throws(KeystoreError) { return try body() } catch {
        throw error == .counterExhausted ? AuthenticatorError(.counterExhausted) : .keystore(error)
    }
}

func inKeystore<R: ~Copyable>(
    _ step: @autoclosure () throws(KeystoreError) -> R
) throws(AuthenticatorError) -> R {
    try inKeystore { () throws(KeystoreError) in try step() }
}

func fromSystem<R: ~Copyable>(
    _ step: @autoclosure () throws(SystemError) -> R
) throws(AuthenticatorError) -> R {
    do throws(SystemError) { return try step() } catch { throw .system(error) }
}

func onDevice<R>(
    _ step: @autoclosure () throws(DeviceError) -> R
) throws(AuthenticatorError) -> R {
    do throws(DeviceError) { return try step() } catch { throw .init(.device(error)) }
}

func judging<R: ~Copyable>(
    _ step: @autoclosure () throws(ActivationError) -> R
) throws(AuthenticatorError) -> R {
    do throws(ActivationError) { return try step() } catch { throw .activation(error) }
}
