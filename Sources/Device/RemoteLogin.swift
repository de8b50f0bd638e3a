// Whether the OTP would be shown on another machine's screen: a login over the network among the
// ancestors of this process. tmux and screen hide it both ways. Bound by DESIGN §6 (remote login)
// and FORMAT.md §6.
internal import Linux

/// Whether this process was started through a remote login; nil if it can't be told.
///
/// - Parameter sshConnection: the variable SSH_CONNECTION; nil if it isn't set.
package func isRemoteLogin(sshConnection: String?) -> Bool? {
    isRemoteLogin(sshConnection: sshConnection, tree: .real)
}

func isRemoteLogin(sshConnection: String?, tree: SystemTree) -> Bool? {
    if sshConnection != nil { return true }
    guard var parent = tree.process("self")?.parent else { return nil }
    // An ancestor outside of the pid namespace is number 0, which /proc doesn't have.
    // 64: deeper than any session is nested; a bound, should /proc answer nonsense.
    for _ in 0..<64 {
        guard let process = tree.process(String(parent)) else { return nil }
        if remoteServers.contains(process.name) { return true }
        if parent == 1 { return false }
        parent = process.parent
    }
    return nil
}

private let remoteServers = ["sshd", "sshd-session", "dropbear", "mosh-server"]

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
    fileprivate func process(_ id: String) -> ProcessStatus? {
        bytes("/proc/\(id)/stat", limit: 1024).flatMap(ProcessStatus.init(stat:))
    }
}
