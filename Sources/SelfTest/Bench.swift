// The throw-away folders, and this program run in them as a shell would run it.
internal import Linux

/// Where the homes lie; removed at the end with all that is in it.
struct Bench: ~Copyable {
    private let folder: TemporaryFolder

    init() throws(SystemError) { folder = try TemporaryFolder() }

    /// A home of this name, made when something is first written to it.
    borrowing func home(_ name: String) -> Home { Home(path: "\(folder.path)/\(name)") }

    /// A home with the same files: what somebody who reads both folders carries away.
    borrowing func copy(of home: Home, named name: String) throws(SystemError) -> Home {
        let copy = self.home(name)
        for folder in [home.data, home.state] {
            let target = copy.path + folder.dropFirst(home.path.utf8.count)
            try makeUserFolders(target)
            for file in systemFolderNames(folder) {
                try replaceUserFile(
                    "\(target)/\(file)", bytes: try readSystemFile("\(folder)/\(file)"))
            }
        }
        return copy
    }
}

struct Home {
    let path: String
    var data: String { path + "/data/softtoken" }
    var state: String { path + "/state/softtoken" }
    /// The PIN of every token here, and one that is none's.
    static let pin = "7294"
    static let wrongPIN = "8361"

    private var environment: [String] {
        let home = ["HOME=\(path)", "XDG_DATA_HOME=\(path)/data", "XDG_STATE_HOME=\(path)/state"]
        // A remote login is one for the children, too.
        return home
            + ["SSH_CONNECTION"].compactMap { name in
                environmentVariable(name).map { "\(name)=\($0)" }
            }
    }

    /// Starts this program; its answers are lines of standard input.
    func start(_ arguments: [String], answers: [String] = []) throws(SystemError) -> ProgramRun {
        try start(ownProgram, arguments, answers)
    }

    func start(
        _ program: String, _ arguments: [String], _ answers: [String]
    ) throws(SystemError) -> ProgramRun {
        let input = answers.map { $0 + "\n" }.joined()
        return try ProgramRun(
            program, arguments: arguments, environment: environment, input: Array(input.utf8))
    }

    func run(_ arguments: [String], answers: [String] = []) throws(SystemError) -> ProgramEnd {
        try start(arguments, answers: answers).end()
    }

    /// - Parameter protector: a file, but where a chip is what is tried: throw-away keystores wear none.
    func activate(
        _ link: String, protector: String = "device-file"
    ) throws(SystemError) -> ProgramEnd {
        try makeUserFolders(path)
        return try run(
            [
                "activate", "--protector", protector, "--not-prescribing-device",
                "--trust-issuer", SampleLink.fingerprint,
            ],
            answers: [link, SampleLink.code, "Selftest token", Home.pin])
    }

    /// This process's own filter of system calls is one from outside to the children that it starts:
    /// their device is unverified, and attested at each use.
    static let showing = ["show", "--once", "--not-prescribing-device"]

    /// `show --once` with this PIN.
    func show(_ pin: String) throws(SystemError) -> ProgramEnd {
        try run(Home.showing, answers: [pin])
    }

    /// The number that `status --json` gives for the attempts left; nil where it gives none.
    func attemptsLeft() throws(SystemError) -> Int? {
        let status = try run(["status", "--json"]).text
        guard let range = status.rangeOfBytes("\"attemptsLeft\":") else { return nil }
        return Int(status[range.upperBound...].prefix { $0.isNumber })
    }

    func status(has part: String) throws(SystemError) -> Bool {
        try run(["status", "--json"]).text.holds(part)
    }

    func change(_ file: String, _ body: (inout [UInt8]) -> Void) throws(SystemError) {
        var bytes = try readSystemFile(file)
        body(&bytes)
        try replaceUserFile(file, bytes: bytes)
    }
}

/// This very program, whatever it is called by now.
let ownProgram = systemLinkTarget("/proc/self/exe") ?? "/proc/self/exe"

/// A file of a keystore, which is 16 MiB long at most.
func readSystemFile(_ path: String) throws(SystemError) -> [UInt8] {
    try readSystemFile(path, limit: 16 << 20)
}

extension ProgramEnd {
    var text: String { String(decoding: output, as: UTF8.self) }
    var complaint: String { String(decoding: error, as: UTF8.self) }
    /// Whether a one-time password was printed.
    var holdsOTP: Bool { output.contains { (0x30...0x39).contains($0) } }
}
