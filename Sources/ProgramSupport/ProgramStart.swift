// A process from its first instruction to its command: no memory image, no strange descriptor, no
// network, arguments that are text. Bound by DESIGN §8 ("Order at start").
import Linux
public import SoftTokenCore

/// What a program does before anything is read.
public enum ProgramStart {
    /// Makes the process undumpable and its standard descriptors open, and has its faults told in its
    /// own words. The first thing in main.
    ///
    /// - Parameter program: as its errors begin.
    /// - Throws: `AuthenticatorError` (74).
    public static func guardProcess(program: String) throws(AuthenticatorError) {
        try running { () throws(SystemError) in
            try ProcessGuard.forbidMemoryImages()
            try ProcessGuard.openStandardDescriptors()
        }
        ProcessGuard.setDefaults(program: program)
    }

    /// Refuses a shell whose limit on how long files may get would stop the log: 128 MiB are enough.
    ///
    /// - Throws: `AuthenticatorError` (74).
    public static func allowFiles() throws(AuthenticatorError) {
        guard !ProcessGuard.allowFiles(ofByteCount: 128 << 20) else { return }
        throw AuthenticatorError(
            .inputOutput,
            "this shell limits how long files may get (ulimit -f), so that the log might not be "
                + "written",
            hint: "begin a new shell without that limit; 128 MiB are enough")
    }

    /// The arguments without the program's name, when each link has been taken out of them; descriptors
    /// but those that they name are closed.
    ///
    /// - Throws: `AuthenticatorError` (64) for one that isn't text, or names a descriptor that isn't
    ///   open.
    public static func arguments() throws(AuthenticatorError) -> [String] {
        guard ArgumentVector.isText else {
            throw AuthenticatorError(.usage, "an argument is not UTF-8 text")
        }
        let arguments = ArgumentVector.arguments()
        let kept = descriptorsNamed(in: arguments)
        // One that isn't open now would be whatever this program opens next.
        for number in kept where !isDescriptorOpen(number) {
            throw AuthenticatorError(
                .usage, "descriptor \(number) is not open",
                hint: "the shell opens it: add \(number)< FILE to the command")
        }
        ProcessGuard.closeInheritedDescriptors(keeping: kept)
        return arguments
    }

    /// Takes sockets away, from this process and what it starts.
    ///
    /// - Throws: `AuthenticatorError` (74); then nothing secret may be touched.
    public static func blockNetwork() throws(AuthenticatorError) {
        try running(try Sandbox.blockNetwork())
    }

    /// What stands in the arguments for a link that was taken out.
    public static let linkPlaceholder = ArgumentVector.placeholder

    /// Whether standard output was open for writing: to be asked before what it is for is used up.
    public static var isOutputWritable: Bool { ProcessGuard.isOutputWritable }
}

/// The wall clock now, Unix seconds.
///
/// - Throws: `AuthenticatorError` (74).
public func currentSeconds() throws(AuthenticatorError) -> Int64 {
    try running(try ClockReading.now().unixSeconds)
}

/// Whether a text is a day of the calendar (Gregorian), as YYYY-MM-DD.
public func isDate(_ text: String) -> Bool { UTCTime.unixSeconds(text + "T00:00:00Z") != nil }
