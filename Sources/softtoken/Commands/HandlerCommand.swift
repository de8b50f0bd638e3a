// `softtoken handler …`: this user's desktop opens activation links with `softtoken activate` in a
// terminal. No PIN, no seed and no link is at hand here, so that programs may be started.
// Bound by CONTRACT §1 and DESIGN §8 ("What must spawn").
import ArgumentParser
import Linux
import ProgramSupport
import SoftTokenCore

struct HandlerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "handler", abstract: "Let this desktop open activation links with softtoken.",
        discussion: """
            The link is then opened in a terminal window, and stands in no program's arguments \
            but the desktop's own, which ends at once. Pasting the link at softtoken activate \
            leaves no copy at all.
            """,
        subcommands: [
            HandlerInstallCommand.self, HandlerRemoveCommand.self, HandlerOpenCommand.self,
            HandlerWindowCommand.self,
        ])
}

struct HandlerInstallCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "install", abstract: "Open softtoken: links with softtoken activate.")
    @Flag(help: "Open otpauth: links, too.") var otpauth = false
    @OptionGroup(visibility: .hidden) var common: CommonOptions

    func execute(_ context: inout Context) throws(AuthenticatorError) {
        let desktop = try Desktop.current()
        let schemes = otpauth ? DesktopEntry.Scheme.allCases : [.softtoken]
        try desktop.write(try entry(schemes))
        // What an earlier --otpauth left is not wanted any more.
        try desktop.forget(DesktopEntry.Scheme.allCases.filter { !schemes.contains($0) })
        try desktop.updateDatabase()
        let names = schemes.map { $0.rawValue + ":" }.joined(separator: " and ")
        output.note("\(names) links open with softtoken activate: \(desktop.entryPath)")
        output.note("Show one-time password is in the desktop's menu: \(desktop.showEntryPath)")
        switch try desktop.makeDefault(schemes) {
        case true?: return
        case nil:
            output.warning(
                "xdg-mime is not installed, so this is not made the default: install xdg-utils and "
                    + "run softtoken handler install again")
        case false?:
            output.warning(
                "xdg-mime failed, so this is not made the default: choose softtoken when the "
                    + "desktop asks, or paste the link at softtoken activate")
        }
    }

    private func entry(_ schemes: [DesktopEntry.Scheme]) throws(AuthenticatorError) -> DesktopEntry
    {
        guard let program = systemLinkTarget("/proc/self/exe"), isSystemPathPresent(program),
            let entry = DesktopEntry(program: program, schemes: schemes)
        else {
            throw .usage(
                "no desktop can start softtoken from where it lies",
                hint: "put it into a folder such as ~/.local/bin, then try again")
        }
        return entry
    }
}

struct HandlerRemoveCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Open links with softtoken no longer.")
    @OptionGroup(visibility: .hidden) var common: CommonOptions

    func execute(_ context: inout Context) throws(AuthenticatorError) {
        let desktop = try Desktop.current()
        let removed = try desktop.remove()
        try desktop.forget(DesktopEntry.Scheme.allCases)
        guard !removed.isEmpty else { return output.note("links were not opened with softtoken") }
        try desktop.updateDatabase()
        output.note(
            "links are no longer opened with softtoken; removed: "
                + removed.joined(separator: " and "))
    }
}

/// Where this user's desktop looks.
private struct Desktop {
    let applications: String
    /// The files that name what opens a link: the one in use, and the one of old desktops.
    let lists: [String]

    var entryPath: String { "\(applications)/\(DesktopEntry.fileName)" }
    var showEntryPath: String { "\(applications)/\(DesktopEntry.showFileName)" }

    /// - Throws: `AuthenticatorError.noHome`. Relative XDG values are ignored.
    static func current() throws(AuthenticatorError) -> Desktop {
        let data = try folder("XDG_DATA_HOME", "/.local/share")
        let configuration = try folder("XDG_CONFIG_HOME", "/.config")
        let applications = data + "/applications"
        return Desktop(
            applications: applications,
            lists: [configuration, applications].map { $0 + "/mimeapps.list" })
    }

    private static func folder(
        _ variable: String, _ fallback: String
    ) throws(AuthenticatorError) -> String {
        if let value = environmentVariable(variable), value.hasPrefix("/") { return value }
        guard let home = environmentVariable("HOME"), home.hasPrefix("/") else {
            throw AuthenticatorError(
                .configuration, "there is no home folder: HOME is not set to an absolute path",
                hint: "set HOME, then try again")
        }
        return home + fallback
    }

    /// Writes both entries, unless they stand there already.
    func write(_ entry: DesktopEntry) throws(AuthenticatorError) {
        for (path, text) in [(entryPath, entry.text), (showEntryPath, entry.showText)] {
            let bytes = Array(text.utf8)
            guard (try? readSystemFile(path, limit: 65_536)) != bytes else { continue }
            try running { () throws(SystemError) in
                try makeUserFolders(applications)
                try replaceUserFile(path, bytes: bytes)
            }
        }
    }

    /// - Returns: the entries that were there.
    func remove() throws(AuthenticatorError) -> [String] {
        try running { () throws(SystemError) in
            var removed: [String] = []
            for path in [entryPath, showEntryPath] where try removeUserFile(path) {
                removed.append(path)
            }
            return removed
        }
    }

    /// Takes this program out of what opens the schemes; other lines stay as they are.
    func forget(_ schemes: [DesktopEntry.Scheme]) throws(AuthenticatorError) {
        for path in lists {
            guard let list = try? readSystemFile(path, limit: 1 << 20),
                let rest = mimeApplications(
                    list, without: DesktopEntry.fileName, for: schemes.map(\.mimeType))
            else { continue }
            try running { () throws(SystemError) in
                if namesNothing(rest), systemLinkTarget(path) == nil {
                    _ = try removeUserFile(path)
                } else {
                    try replaceUserFile(path, bytes: rest)
                }
            }
        }
    }

    /// Makes this program the one that opens the schemes.
    ///
    /// - Returns: whether that succeeded; nil where xdg-mime is not installed.
    func makeDefault(_ schemes: [DesktopEntry.Scheme]) throws(AuthenticatorError) -> Bool? {
        try run("xdg-mime", ["default", DesktopEntry.fileName] + schemes.map(\.mimeType))
    }

    /// Renews the list of which application opens what; without the program desktops do it later.
    func updateDatabase() throws(AuthenticatorError) {
        _ = try run("update-desktop-database", ["-q", applications])
    }

    /// - Returns: whether the program ended with 0; nil if it is not installed.
    private func run(_ name: String, _ arguments: [String]) throws(AuthenticatorError) -> Bool? {
        try running { () throws(SystemError) in
            guard let child = try ChildProcess.start(name, arguments: arguments) else { return nil }
            return child.succeeded()
        }
    }
}
