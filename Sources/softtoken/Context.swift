// What a command works with: the link that was taken out of argv, and the way to an authenticator.
// Bound by DESIGN §8 ("Order at start").
import ArgumentParser
import Linux
import ProgramSupport
import SoftTokenCore

/// Standard output and standard error of this program.
let output = ProgramOutput(program: "softtoken") { wrapped($0, columns: $1, hanging: $2) }

/// A text of this program in as many lines as it takes, its commands whole.
func wrapped(_ text: String, columns: Int, hanging: Int = 0) -> [String] {
    wrapped(text, columns: columns, hanging: hanging, commandsOf: SoftTokenCommand.self)
}

/// Of every command, because scripts may give them to all: shown by those that have a use for them.
struct PINOptions: ParsableArguments {
    @Option(
        name: .customLong("pin-fd"),
        help: ArgumentHelp("Take the PIN from file descriptor N, a line each.", valueName: "N"))
    var pinDescriptor: Int32?
}

struct ColourOptions: ParsableArguments {
    @Flag(name: .customLong("no-color"), help: "Use no colour.")
    var forbidsColor = false
}

/// The same of a command that draws nothing; hidden as a whole where no PIN is asked for.
struct CommonOptions: ParsableArguments {
    @OptionGroup var pin: PINOptions
    @OptionGroup(visibility: .hidden) var colour: ColourOptions

    var pinDescriptor: Int32? { pin.pinDescriptor }
}

/// What the process was given besides its options.
struct Context: ~Copyable {
    /// The arguments without the program's name, and without a link.
    let arguments: [String]
    /// The link argument, moved out of argv.
    var link: GivenLink?
    /// `handler open`: where the link goes.
    var handover: LinkHandover?

    /// Opens the authenticator of this user on this device, confined as a command is.
    func authenticator() throws(AuthenticatorError) -> Authenticator {
        try Authenticator(confinement: .process) {
            output.note("waiting for another softtoken to end")
        }
    }
}

/// What a desktop's window would close over.
enum HoldsWindow {
    case never, afterFailure, always
}

struct WindowOptions: ParsableArguments {
    @Flag(
        help: ArgumentHelp(
            "Wait for a key at the end, for a desktop that closes the terminal's window.",
            visibility: .hidden))
    var hold = false
}

protocol Command: ParsableCommand {
    /// Whether an argument may look like a link. Where none may, it would be lost: it was taken out
    /// of argv before the parser saw it.
    static var takesLinks: Bool { get }

    /// Whether a window that a desktop opened for this command stays until a key is pressed.
    var holdsWindow: HoldsWindow { get }

    /// Carries the command out.
    func execute(_ context: inout Context) throws(AuthenticatorError)
}

extension Command {
    static var takesLinks: Bool { false }
    var holdsWindow: HoldsWindow { .never }

    // Main calls `execute`, which knows the context; the parser's own way in is never taken.
    func run() throws { throw CleanExit.helpRequest(self) }
}

extension AuthenticatorError {
    /// The command was not used as it can be (64).
    static func usage(_ message: String, hint: String? = nil) -> AuthenticatorError {
        AuthenticatorError(.usage, message, hint: hint ?? "see softtoken --help")
    }

    /// A link where no command takes one; it was taken out of argv all the same.
    static let misplacedLink = usage(
        "a link belongs to softtoken activate",
        hint: "softtoken activate takes it in; it was not used here")

    /// It was reported; nothing more is to be said.
    static func reported(_ code: ExitStatus) -> AuthenticatorError { AuthenticatorError(code, nil) }

    static func ended(by signal: Signal) -> AuthenticatorError {
        reported(ExitStatus(rawValue: signal.exitCode))
    }

    /// There is no such input file (66).
    static func noInput(_ path: String) -> AuthenticatorError {
        AuthenticatorError(
            .notFound, "there is no file \(path)",
            hint: "look at its name, and in which folder it is")
    }
}

/// A small file that a person names: a record, an issuer's key.
///
/// - Throws: `AuthenticatorError` (66, 74).
func readInput(_ path: String) throws(AuthenticatorError) -> [UInt8] {
    do throws(SystemError) { return try readSystemFile(path, limit: 65_536) } catch {
        throw error.isNotFound ? .noInput(path) : .system(error)
    }
}

/// A moment as people say it: the time of day, and the date where it is not today's.
func clockText(_ unixSeconds: Int64, now: Int64) -> String {
    LocalTime(atUnixSeconds: unixSeconds).hoursAndMinutes(seenAtUnixSeconds: now)
}
