// The exit codes of CONTRACT §2, each by its name.

/// How a program ends, as scripts read it. CONTRACT §2.
public struct ExitStatus: RawRepresentable, Equatable, Sendable {
    public let rawValue: Int32

    /// Any other: 128 and a signal's number.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// Done.
    public static let done = ExitStatus(rawValue: 0)
    /// Usage, a malformed PIN, a missing answer, an ambiguous token.
    public static let usage = ExitStatus(rawValue: 64)
    /// Malformed, damaged or not authentic: a link, an activation code, a file, a record, the log.
    public static let rejected = ExitStatus(rawValue: 65)
    /// No keystore, no such token, no such input file.
    public static let notFound = ExitStatus(rawValue: 66)
    /// The TPM can't be reached.
    public static let protectorUnreachable = ExitStatus(rawValue: 69)
    /// A fault of the program.
    public static let fault = ExitStatus(rawValue: 70)
    /// A file can't be created.
    public static let cannotCreate = ExitStatus(rawValue: 73)
    /// Input or output failed: a full disk, no memory.
    public static let inputOutput = ExitStatus(rawValue: 74)
    /// A delay is in force, or another process held the keystore for a minute.
    public static let tryLater = ExitStatus(rawValue: 75)
    /// A wrong PIN; the one that reaches the limit is `erased`.
    public static let wrongPIN = ExitStatus(rawValue: 77)
    /// A file's owner or mode, or the administrator's policy.
    public static let configuration = ExitStatus(rawValue: 78)
    /// Refused: this is the prescribing device.
    public static let prescribingDevice = ExitStatus(rawValue: 80)
    /// Refused: separation is not attested, or not verified where policy wants it.
    public static let separation = ExitStatus(rawValue: 81)
    /// Refused: the keystore belongs to another device.
    public static let foreignDevice = ExitStatus(rawValue: 82)
    /// Too many wrong PINs: the keystore is erased.
    public static let erased = ExitStatus(rawValue: 83)
    /// The link is expired or used.
    public static let linkSpent = ExitStatus(rawValue: 84)
    /// The token is expired.
    public static let tokenExpired = ExitStatus(rawValue: 85)
    /// Refused: the device's clock can't be right, and nobody confirmed it.
    public static let clock = ExitStatus(rawValue: 86)
    /// Refused: a remote login.
    public static let remoteLogin = ExitStatus(rawValue: 87)
    /// Refused by policy: a PIN that is easy to guess, an unsigned link, an untrusted issuer.
    public static let policy = ExitStatus(rawValue: 88)
    /// The person ended it: Ctrl-C at a prompt.
    public static let interrupted = ExitStatus(rawValue: 130)
}
