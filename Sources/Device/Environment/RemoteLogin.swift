// Whether the OTP would be shown on another machine's screen: this process's session, or one of its
// ancestors, is a login over the network. FORMAT.md §6 says what hides it. Bound by DESIGN §6 (remote
// login).
internal import Linux

/// Whether this process was started through a remote login; nil if it can't be told.
///
/// - Parameter sshConnection: the variable SSH_CONNECTION; nil if it isn't set.
package func isRemoteLogin(sshConnection: String?) -> Bool? {
    isRemoteLogin(sshConnection: sshConnection, tree: .real)
}

func isRemoteLogin(sshConnection: String?, tree: SystemTree) -> Bool? {
    if sshConnection != nil || tree.isSessionRemote { return true }
    guard var parent = tree.process("self")?.parent else { return nil }
    // An ancestor outside of the pid namespace is number 0, which /proc doesn't have.
    // 64: deeper than any session is nested; a bound, should /proc answer nonsense.
    for _ in 0..<64 {
        guard let process = tree.process(String(parent)) else { return nil }
        if remoteServers.contains(process.name) { return true }
        // The first process of another pid namespace has ancestors that aren't seen here.
        if parent == 1 { return tree.namespace(.pid) == .initial ? false : nil }
        parent = process.parent
    }
    return nil
}

/// As the kernel names their processes, in 15 bytes at most.
private let remoteServers = [
    "sshd", "sshd-session", "dropbear", "mosh-server", "telnetd", "in.telnetd",
    "tailscaled", "ttyd", "xrdp", "xrdp-sesman", "xrdp-sesexec", "Xvnc", "Xtigervnc", "x11vnc",
    "waypipe",
]

/// The N of the first `session-N.scope` in /proc/self/cgroup: logind's name of a session.
func loginSession(in cgroup: String) -> Substring? {
    for part in cgroup.split(whereSeparator: { $0 == "/" || $0 == "\n" })
    where part.hasPrefix("session-") && part.hasSuffix(".scope") {
        let name = part.dropFirst("session-".count).dropLast(".scope".count)
        if !name.isEmpty, name.allSatisfy({ $0.isLetter || $0.isNumber }) { return name }
    }
    return nil
}

/// What /proc/PID/stat tells of a process.
struct ProcessStatus: Equatable {
    let name: String
    let parent: Int32

    /// Parses "PID (NAME) STATE PARENT …"; a name may hold blanks and parentheses.
    init?(stat: [UInt8]) {
        guard let open = stat.firstIndex(of: UInt8(ascii: "(")),
            let close = stat.lastIndex(of: UInt8(ascii: ")")), open < close
        else { return nil }
        let fields = stat[(close + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 1,
            let parent = Int32(String(decoding: fields[1], as: UTF8.self)), parent >= 0
        else { return nil }
        name = String(decoding: stat[(open + 1)..<close], as: UTF8.self)
        self.parent = parent
    }
}

extension SystemTree {
    /// Whether logind calls this process's session remote. The session is where the login put its
    /// processes, and neither a new terminal session (setsid) nor a lost parent leads out of it.
    fileprivate var isSessionRemote: Bool {
        guard let groups = bytes("/proc/self/cgroup", limit: 4096),
            let session = loginSession(in: String(decoding: groups, as: UTF8.self)),
            let state = bytes("/run/systemd/sessions/\(session)", limit: 4096)
        else { return false }
        return String(decoding: state, as: UTF8.self).split(separator: "\n").contains("REMOTE=1")
    }

    fileprivate func process(_ id: String) -> ProcessStatus? {
        bytes("/proc/\(id)/stat", limit: 1024).flatMap(ProcessStatus.init(stat:))
    }
}
