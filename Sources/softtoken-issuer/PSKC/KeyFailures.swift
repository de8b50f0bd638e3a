// Why a key of a PSKC file, or a token of the records, is not used; with what to do and the exit code
// of it. Bound by RFC 6030, CONTRACT §2 and STYLE 16.
import KeystoreIssuer
import SoftTokenCore

extension Failure {
    // MARK: what the key is

    /// RFC 6030 §4.2: a key without its secret, made from a key that both sides know.
    static let noSecret = rejected("the file has no seed for it")
    static let unsupportedAlgorithm = rejected("it is neither a hotp nor a totp key")
    static let unsupportedSuite = rejected("its hash function is none of SHA1, SHA256 and SHA512")
    /// RFC 6287.
    static let ocra = rejected("it is an OCRA key, which needs a challenge")
    static let missingEncoding = rejected("its ResponseFormat has no Encoding: DECIMAL is needed")
    static let unsupportedResponse = rejected("its one-time passwords are not 6 to 8 digits")
    static let serialLength = rejected(
        "its SerialNo is longer than 32 bytes, or can't be shown",
        hint: "a link takes 1 to 32 bytes: ask the vendor for shorter serials")
    static let seedLength = rejected("its seed has over 64 bytes")
    /// Which a link can't carry (RFC 4226 R6).
    static let shortSeed = rejected("its seed has under 16 bytes, too few for a soft token")
    static func malformedValue(_ name: String) -> Failure {
        rejected("its \(name) is damaged")
    }
    /// RFC 6030's schema has one of this element.
    static func repeatedElement(_ name: String) -> Failure {
        rejected("it has two \(name), of which only one can be meant")
    }

    // MARK: how it is encrypted

    /// RFC 6030 §6.1: AES-CBC without a ValueMAC.
    static let missingMAC = rejected(
        "it is encrypted without a MAC, so that nobody can tell it is whole", hint: askForBoth)
    /// RECORDS §8.
    static let plainSeed = rejected(
        "its seed is in the clear among encrypted ones: it was put there without the key",
        hint: "ask who may write to the records, and issue a new token")
    static let unsupportedEncryption = rejected(
        "it is encrypted in a way that is not supported", hint: askForAES)
    static let tripleDES = rejected(
        "it is encrypted with 3DES (Triple DES), which is not supported", hint: askForAES)
    static let tooManyRounds = rejected(
        "its IterationCount is over \(PBKDF2Parameters.iterations.upperBound)",
        hint: "ask the vendor for a file whose password is derived in fewer rounds")
    static let keyNeeded = usage("it is encrypted", hint: "give the file's key with --key-fd")
    static let wrongKey = rejected(
        "the key doesn't open it, or the file was changed", hint: askForBoth)
    static let malformedKey = usage(
        "the key that was given can't be this file's",
        hint: "a pre-shared key is 32, 48 or 64 hexadecimal digits; else the file has a password")

    private static let askForBoth = "ask the vendor for the file and its key again"
    private static let askForAES =
        "AES-CBC and AES key wrap with a pre-shared key or a password are: ask the vendor"

    // MARK: its policy and its state, RFC 6030 §5

    static let unknownPolicy = Failure(
        .policy, "its policy holds what is not known here, so that it can't be kept")
    static let notForOTP = Failure(.policy, "its policy doesn't allow one-time passwords")
    static let notYetValid = Failure(.policy, "its policy says that it is not valid yet")
    static let expired = Failure(
        .tokenExpired, "its policy says that it is expired", hint: issueNew)
    static let revoked = Failure(.tokenExpired, "it is revoked", hint: issueNew)
    static func ended(atUnixSeconds end: Int64) -> Failure {
        end <= revokedUnixSeconds ? revoked : expired
    }
    /// A PIN in the OTP, or one that SoftToken's four digits can't be.
    static let pin = Failure(.policy, "its policy asks for a PIN that a soft token can't have")
    static let transactions = Failure(
        .policy, "its policy limits how often it is used, which nobody counts here")
    /// HOTP: the last counter was used.
    static let counterAtEnd = Failure(.tokenExpired, "its counter is at its end", hint: issueNew)

    private static let issueNew = "the token can't be used any more: issue a new one"
}
