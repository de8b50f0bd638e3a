// `softtoken handler open LINK`: what the desktop starts. The link goes through a FIFO to the
// `softtoken activate` of a terminal window, so that it stands in no program's arguments but the
// desktop's own. The window is opened by a process of its own, which may reach the desktop's sockets
// and never has the link. Bound by CONTRACT §1 (`handler`) and DESIGN §8 ("What must spawn").
import ArgumentParser
import Linux
import ProgramSupport
import SoftTokenCore

struct HandlerOpenCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "open", abstract: "Open a link in a terminal window; the desktop does it.",
        discussion: """
            Takes the link out of its own arguments, opens a terminal window with softtoken \
            activate, and gives it the link through a pipe that nobody else can open.
            """)
    static let takesLinks = true

    @Argument(help: ArgumentHelp("The activation link.", valueName: "LINK")) var link: String
    @OptionGroup(visibility: .hidden) var common: CommonOptions

    func execute(_ context: inout Context) throws(AuthenticatorError) {
        guard let link = context.link.take(), var handover = context.handover.take() else {
            throw .usage("this is no activation link", hint: "give the link that was mailed")
        }
        try handover.give(link)
    }
}

/// A link on its way to a window. Made before the network filter, which every program that is started
/// later inherits: a window needs its desktop's sockets.
struct LinkHandover: ~Copyable {
    private var pipe: LinkPipe
    private let window: BackgroundProcess

    /// The arguments that want one.
    static func isWanted(by arguments: [String]) -> Bool {
        arguments.starts(with: ["handler", "open"])
    }

    /// Makes the pipe and starts what opens the window.
    ///
    /// - Throws: `AuthenticatorError` (78) without a folder that is this user's while they are logged in.
    init() throws(AuthenticatorError) {
        guard let folder = environmentVariable("XDG_RUNTIME_DIR"), folder.hasPrefix("/") else {
            throw .noWindow("XDG_RUNTIME_DIR names no folder for the link to pass through")
        }
        // The number is no secret: it keeps two windows from using one pipe.
        let name = "softtoken-\(UInt64.random(in: .min ... .max))"
        let pipe = try LinkPipe(name, in: folder)
        let path = pipe.path
        let window = try running(
            try BackgroundProcess.start(
                path: "/proc/self/exe",
                arguments: ["softtoken"] + HandlerWindowCommand.words + [path]))
        self.pipe = pipe
        self.window = window
    }

    /// Gives the link to the one who reads, for a minute at most.
    ///
    /// - Throws: `AuthenticatorError` (78) where nobody came.
    mutating func give(_ link: consuming GivenLink) throws(AuthenticatorError) {
        let isGiven = try pipe.give(link, patienceSeconds: 60) { !window.hasFailed() }
        guard isGiven else { throw .noWindow("no terminal window opened the link") }
    }
}

/// Opens the window: the first terminal that is installed and doesn't end at once.
struct HandlerWindowCommand: Command {
    static let configuration = CommandConfiguration(commandName: "window", shouldDisplay: false)
    static let words = ["handler", "window"]

    /// Each with what comes before the command. The first two ask which one the user wants.
    private static let terminals: [(name: String, options: [String])] = [
        ("xdg-terminal-exec", []), ("x-terminal-emulator", ["-e"]), ("gnome-terminal", ["--"]),
        ("konsole", ["-e"]), ("xfce4-terminal", ["-x"]), ("kitty", []), ("foot", []),
        ("alacritty", ["-e"]), ("xterm", ["-e"]),
    ]

    @Argument var path: String
    @OptionGroup(visibility: .hidden) var common: CommonOptions

    /// Whether a process of these arguments goes without the network filter: it has no secret, and
    /// what it starts draws on a screen behind a socket.
    static func isMeant(by arguments: [String]) -> Bool { arguments.starts(with: words) }

    func execute(_ context: inout Context) throws(AuthenticatorError) {
        guard let program = systemLinkTarget("/proc/self/exe") else {
            throw .noWindow("softtoken can't tell where it lies")
        }
        let command = [program, "activate", "--from", path, "--hold"]
        for terminal in HandlerWindowCommand.terminals {
            let process = try running(
                try BackgroundProcess.start(terminal.name, arguments: terminal.options + command))
            // One that can't open its window ends at once; one that ends later was closed.
            if let process, !process.hasFailed(withinSeconds: 3) { return }
        }
        throw .noWindow("no terminal program opens a window")
    }
}

extension AuthenticatorError {
    fileprivate static func noWindow(_ reason: String) -> AuthenticatorError {
        AuthenticatorError(
            .configuration, reason,
            hint: "run softtoken activate in a terminal, and paste the link there")
    }
}
