// Why the authenticator did not do what it was asked: one case a cause, each with its exit code of
// CONTRACT §2 and, in the program's Messages, its words. Payloads are what a caller can act on.
package import Activation
package import Device
package import Keystore
package import Linux

/// What kept a command from being carried out.
package enum AuthenticatorError: Error, Equatable, Sendable {
    // MARK: refused
    /// This is the prescribing device (80).
    case sameDevice(SeparationEvidence)
    /// Over the network (87).
    case remoteLogin
    /// Policy wants separation verified, and it is not (81).
    case separationNotVerified(UnverifiedReason)
    /// The prescriber has not attested (81).
    case attestationMissing(UnverifiedReason)
    /// The prescriber said that this is the prescribing device (81).
    case attestationDenied
    /// The clock can't be right and nobody confirmed it (86).
    case clockUnconfirmed(ClockDoubt)
    /// `--clock-is` names another day than this device's clock (86).
    case clockContradicted
    /// The administrator forbids unsigned links (88).
    case unsignedLink
    /// Nobody trusts the issuer's signing key (88).
    case untrustedIssuer(fingerprint: String)
    /// The PIN is easy to guess (88).
    case easyPIN
    /// The record to be forbidden is this device's own (80).
    case recordOfThisDevice(SeparationEvidence)

    // MARK: rejected
    /// The link, code, request or issuer file (65).
    case activation(ActivationError)
    /// The prescribing record (65).
    case record(PrescribingRecordError)
    /// The link's time is over (84).
    case linkExpired
    /// The link has been used here (84).
    case linkUsed
    /// The token's time is over (85).
    case tokenExpired
    /// The HOTP counter is at its end (85).
    case counterExhausted

    // MARK: the keystore
    case keystore(KeystoreError)

    /// The TPM can't be reached (69).
    case protectorUnreachable

    // MARK: configuration
    /// A file of the administrator's that is not root's alone, or is malformed (78).
    case configuration(path: String, reason: String)
    /// Neither HOME nor the XDG folders are set (78).
    case noHome
    /// XDG_DATA_HOME and XDG_STATE_HOME are one folder (78).
    case oneFolder
    /// The system did not cooperate outside of the keystore (73, 74).
    case system(SystemError)
}

/// Why the clock can't be right (DESIGN §7).
package enum ClockDoubt: Equatable, Sendable {
    /// It shows an earlier time than this device has seen already, Unix seconds.
    case beforeBaseline(Int64)
    /// It shows an earlier time than the link was made at, Unix seconds.
    case beforeLink(Int64)
}

extension AuthenticatorError {
    init(_ error: KeystoreError) { self = .keystore(.outOfMemory) }
}

/// Works in guarded memory, in this module's error.
func guarded<R: ~Copyable>(
    _ body: () throws(KeystoreError) -> R
) throws(AuthenticatorError) -> R {
    do throws(KeystoreError) { return try body() } catch { throw AuthenticatorError(error) }
}

/// Works on the keystore, in this module's error.
func inKeystore<R: ~Copyable>(
    _ body: () throws(KeystoreError) -> R
) throws(AuthenticatorError) -> R {
    do throws(KeystoreError) { return try body() } catch {
        switch error {
        case .counterExhausted: throw .counterExhausted
        default: throw .keystore(error)
        }
    }
}

/// Asks the system, in this module's error.
func fromSystem<R: ~Copyable>(
    _ body: () throws(SystemError) -> R
) throws(AuthenticatorError) -> R {
    do throws(SystemError) { return try body() } catch { throw .system(error) }
}
