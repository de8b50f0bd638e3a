// The one door: opening it, and what needs neither PIN nor person. What is done with a token stands
// in the files beside it. Bound by DESIGN §2 ("The door is real"), §8 ("Order at start").
import Activation
import Device
import Keystore
import Linux

/// How far the process is confined. What it can't do any more it can never do again, nor can what it
/// starts.
public enum Confinement: Sendable {
    /// All of DESIGN §8: no memory image, no socket of any family, no file but the two folders' once
    /// a use begins. For a program that does nothing else: it opens what it needs (its terminal, the
    /// files that were named) before the first use, and one authenticator.
    case process
    /// None of it, for an app that needs the network or other files. `status` says so.
    case none
}

/// The authenticator of one user on one device.
///
/// It is synchronous: a call may wait for another process (a minute at most), for Argon2id (a second),
/// and for the person. It can't be copied; one at a time is in use. Every error is an
/// ``AuthenticatorError``.
public struct Authenticator: ~Copyable {
    var flow: Flow
    private let confinement: Confinement
    /// The throw-away folder of a sample.
    private let temporaryFolder: TemporaryFolder?

    /// Opens the folders of this user, where they are: `$XDG_DATA_HOME/softtoken` and
    /// `$XDG_STATE_HOME/softtoken` (DESIGN §3).
    ///
    /// - Parameters:
    ///   - confinement: what this process gives up.
    ///   - whenWaiting: called when another process has held the keystore for a second.
    /// - Throws: exit code `configuration` for a folder of wrong owner or mode, no home, or an
    ///   administrator's file that can't be trusted; `inputOutput`.
    public init(
        confinement: Confinement, whenWaiting: @escaping @Sendable () -> Void = {}
    ) throws(AuthenticatorError) {
        try Authenticator.confineProcess(confinement)
        let device = try DeviceFacts.read(
            sshConnection: environmentVariable("SSH_CONNECTION"))
        flow = try Flow(
            place: try Place.ofUser(), device: device, chip: .ofThisComputer(),
            whenWaiting: whenWaiting)
        self.confinement = confinement
        temporaryFolder = nil
    }

    /// Opens the folders without the administrator's files, which can't be used: for `status` alone.
    init(
        confinement: Confinement, despite problem: AuthenticatorError
    ) throws(AuthenticatorError) {
        try Authenticator.confineProcess(confinement)
        flow = try Flow(
            place: try Place.ofUser(),
            device: DeviceFacts.withoutAdministrator(
                sshConnection: environmentVariable("SSH_CONNECTION")), chip: .ofThisComputer())
        self.confinement = confinement
        temporaryFolder = nil
    }

    /// Opens a throw-away keystore in a temporary folder, which is removed at the end. A sample OTP
    /// signs nothing, so that a remote login may see it.
    ///
    /// - Throws: as the other way in.
    public init(sampleConfinedTo confinement: Confinement) throws(AuthenticatorError) {
        try Authenticator.confineProcess(confinement)
        let folder = try fromSystem(try TemporaryFolder())
        var device = try DeviceFacts.read(sshConnection: nil)
        device.login = .atDevice
        flow = try Flow(
            place: Place(
                dataPath: folder.path + "/data/softtoken",
                statePath: folder.path + "/state/softtoken"), device: device)
        self.confinement = confinement
        temporaryFolder = consume folder
    }

    /// The fingerprint of an issuer's key that was typed, in its one spelling,
    /// `XXXX-XXXX-XXXX-XXXX`; nil where it is none.
    public static func fingerprint(_ typed: String) -> String? {
        VerifyingKey.normalizedFingerprint(typed)
    }

    /// What the process gives up at once, if it has not yet.
    private static func confineProcess(
        _ confinement: Confinement
    ) throws(AuthenticatorError) {
        LocalTime.prepare()
        guard confinement == .process else { return }
        if ProcessGuard.allowsMemoryImages {
            try fromSystem(try ProcessGuard.forbidMemoryImages())
        }
        try fromSystem(try Sandbox.blockNetwork())
    }

    /// Closes the file sandbox over the two folders, before any PIN is asked for. Around a sample it
    /// stays open: its folder lies in another one, out of which it is removed at the end.
    ///
    /// - Parameter comparesLater: a later use may have to tell this device from another one.
    func confineFiles(comparesLater: Bool = true) throws(AuthenticatorError) {
        guard confinement == .process, temporaryFolder == nil else { return }
        // Read now, because inside of the sandbox it can't be; where this fails the use that needs it
        // ends with the error.
        if comparesLater { _ = try? flow.device.identity() }
        if comparesLater || flow.folders != nil { _ = flow.device.machineID() }
        try fromSystem(try Sandbox.confineFiles(to: flow.folderDescriptors))
    }
}

extension Authenticator {
    /// What a use is for, where checks come before a file that the person named is looked for.
    public enum Use: Sendable {
        /// ``activate(_:asking:)``
        case activation
        /// Anything else that opens the keystore.
        case management
    }

    /// Goes through the checks of what this device and its files are, asking nobody: who may not be
    /// here at all is told that, and not that a file is missing.
    ///
    /// - Throws: the first refusal that applies; it is logged.
    public func check(_ use: Use, for person: any Prescriber) throws(AuthenticatorError) {
        try flow.checkPlace(
            use == .activation ? .activate(nil) : .manage, answers: try flow.answers(person))
    }

    /// This device's enrolment request, for a link sealed to this device: the living one, or a new
    /// one. It lives 14 days, for one activation. CONTRACT §4.
    ///
    /// - Parameter replacingLiving: makes a new one in any case.
    /// - Returns: what is sent to the issuer, and what both sides read out to compare it.
    /// - Throws: exit code `prescribingDevice` on a computer that is marked for prescribing.
    public mutating func request(
        replacingLiving: Bool
    ) throws(AuthenticatorError) -> (text: String, verification: String) {
        try flow.checkFiles()
        if let refusal = flow.refusalMeanwhile {
            flow.logRefusal(refusal, facts: try flow.facts())
            throw refusal
        }
        try flow.makeFolders()
        try confineFiles()
        let request = try flow.request(isRenewed: replacingLiving)
        return (request.text, request.verification)
    }

    /// Destroys the keystore, the device share and the device key. Needs no PIN: who forgot it must
    /// be able to begin anew.
    ///
    /// - Throws: exit code `notFound` if there is nothing to destroy; `usage` without a yes;
    ///   `configuration`.
    public func reset(asking person: any Prescriber) throws(AuthenticatorError) {
        let facts = try flow.facts()
        if facts.state == Status.Keystore.none { throw .keystore(.missing) }
        if case .problem(let problem)? = facts.error {
            // What is no file is none of ours and is removed; a file may be somebody else's.
            guard case .notPlain = problem else { throw .keystore(.problem(problem)) }
        }
        flow.openChipInUse()
        try confineFiles()
        guard try person.answer(.resets) == .yes else {
            throw .init(person.canBeAsked ? .declined(.resetting) : .notConfirmed(.resetting))
        }
        if let left = try flow.reset() { try person.hears(left) }
    }
}

extension Place {
    fileprivate static func ofUser() throws(AuthenticatorError) -> Place {
        try Place(
            home: environmentVariable("HOME"), dataHome: environmentVariable("XDG_DATA_HOME"),
            stateHome: environmentVariable("XDG_STATE_HOME"))
    }
}
