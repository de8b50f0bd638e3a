// Whether the OTP would be shown on another machine's screen: this process's session, or one of its
// ancestors, is a login over the network. FORMAT.md §6 says what hides it. Bound by DESIGN §6 (remote
// login).
internal import Linux

/// From where this process was started.
package enum LoginPlace: Equatable, Sendable {
    case atDevice
    /// Over the network.
    case remote
    /// What tells it can't be read.
    case untold
    /// In a pid namespace that isn't the kernel's first: who is beyond it is not seen.
    case container
}

/// From where this process was started.
///
/// - Parameter sshConnection: the variable SSH_CONNECTION; nil if it isn't set.
package func loginPlace(sshConnection: String?) -> LoginPlace {
    loginPlace(sshConnection: sshConnection, tree: .real)
}

func loginPlace(sshConnection: String?, tree: SystemTree) -> LoginPlace {
    let session = tree.session
    if sshConnection != nil || session == .remote { return .remote }
    let isAncestorRemote = tree.isAncestorRemote
    if isAncestorRemote == true { return .remote }
    if session != .unreadable, isAncestorRemote == false { return .atDevice }
    if tree.namespace(.pid) == .other { return .container }
    // /proc hides others' processes (hidepid), and this process's own are told: logind is root's.
    return session == .local && tree.process("self") != nil ? .atDevice : .untold
}

/// As the kernel names their processes, in 15 bytes at most.
private let remoteServers = [
    "sshd", "sshd-session", "dropbear", "tinysshd", "mosh-server", "etserver", "etterminal",
    "telnetd", "in.telnetd", "rlogind", "in.rlogind", "rshd", "in.rshd", "tailscaled", "ttyd",
    "gotty", "shellinaboxd", "cockpit-session", "cockpit-bridge", "xrdp", "xrdp-sesman",
    "xrdp-sesexec", "Xvnc", "Xtigervnc", "vncsession", "tigervncsession", "x11vnc", "x2goagent",
    "nxagent", "nxnode.bin", "xpra", "waypipe",
]

/// Where logind has put a process, as its cgroup names it.
enum LoginGroup: Equatable {
    /// `session-N.scope`: the session N.
    case session(Substring)
    /// `user@N.service`: what the manager of user N started, for whichever of its sessions.
    case manager(Substring)

    /// The first in /proc/PID/cgroup; nil without one.
    init?(cgroup: String) {
        let parts = cgroup.split { $0 == "/" || $0 == "\n" }
        if let name = name(in: parts, between: "session-", and: ".scope") {
            self = .session(name)
        } else if let name = name(in: parts, between: "user@", and: ".service") {
            self = .manager(name)
        } else {
            return nil
        }
    }
}

/// What stands between both in the first part that has it: letters and digits.
private func name(in parts: [Substring], between start: String, and end: String) -> Substring? {
    for part in parts where part.hasPrefix(start) && part.hasSuffix(end) {
        let name = part.dropFirst(start.count).dropLast(end.count)
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
        let fields = stat[(close + 1)...].split(separator: UInt8(ascii: " "), maxSplits: 2)
        guard fields.count > 1,
            let parent = Int32(String(decoding: fields[1], as: UTF8.self)), parent >= 0
        else { return nil }
        name = String(decoding: stat[(open + 1)..<close], as: UTF8.self)
        self.parent = parent
    }
}

/// What logind says of this process's session.
private enum SessionPlace {
    case local, remote
    /// There is no logind, or it knows nothing of this process.
    case none
    /// It can't be read, though everyone may.
    case unreadable
}

extension SystemTree {
    /// The session is where the login put its processes, and neither a new terminal session (setsid)
    /// nor a lost parent leads out of it.
    fileprivate var session: SessionPlace {
        place(in: "/proc/self/cgroup") { groups in
            switch LoginGroup(cgroup: groups) {
            case .session(let session)?: place(ofSession: session)
            case .manager(let user)?: place(ofUser: user)
            case nil: .none
            }
        }
    }

    private func place(ofSession session: Substring) -> SessionPlace {
        guard session.allSatisfy({ $0.isLetter || $0.isNumber }) else { return .none }
        return place(in: "/run/systemd/sessions/\(session)") { text in
            let lines = text.split(separator: "\n")
            if lines.contains("REMOTE=1") { return .remote }
            return lines.contains("REMOTE=0") ? .local : .none
        }
    }

    /// What a desktop starts, its terminals above all, is a service of the user's manager: it belongs
    /// to the session that logind calls the user's display, or if there is none, to any of them.
    private func place(ofUser user: Substring) -> SessionPlace {
        place(in: "/run/systemd/users/\(user)") { text in
            let lines = text.split(separator: "\n")
            let values = ["DISPLAY=", "SESSIONS="].map { member in
                lines.first { $0.hasPrefix(member) }?.dropFirst(member.count) ?? ""
            }
            let sessions = (values[0].isEmpty ? values[1] : values[0]).split(separator: " ")
            let places = sessions.map { place(ofSession: $0) }
            // What is worst: a session that can't be read may be remote.
            return [.remote, .unreadable, .none].first { places.contains($0) }
                ?? (places.isEmpty ? .none : .local)
        }
    }

    /// What a file tells, as it is judged.
    private func place(in path: String, _ judge: (String) -> SessionPlace) -> SessionPlace {
        switch contents(path, 4096) {
        case .absent: .none
        case .unreadable: .unreadable
        case .bytes(let bytes): judge(String(decoding: bytes, as: UTF8.self))
        }
    }

    /// Whether an ancestor is a server of remote logins; nil if a step can't be read.
    fileprivate var isAncestorRemote: Bool? {
        guard var parent = process("self")?.parent else { return nil }
        // An ancestor outside of the pid namespace is number 0, which /proc doesn't have.
        // 64: deeper than any session is nested; a bound, should /proc answer nonsense.
        for _ in 0..<64 {
            guard let process = process(String(parent)) else { return nil }
            if remoteServers.contains(process.name) { return true }
            // The first process of another pid namespace has ancestors that aren't seen here.
            if parent == 1 { return namespace(.pid) == .initial ? false : nil }
            parent = process.parent
        }
        return nil
    }

    fileprivate func process(_ id: String) -> ProcessStatus? {
        bytes("/proc/\(id)/stat", limit: 1024).flatMap(ProcessStatus.init(stat:))
    }
}
