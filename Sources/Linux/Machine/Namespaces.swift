// Which namespaces this process lies in, and with that, who can have mounted what it sees. The answer
// must be the kernel's own: in a user namespace anybody mounts what he likes over /proc and /etc, and
// anybody filters system calls so that they fail. What was read is believed, never that nothing was.
// Bound by Device/FORMAT.md §6, ioctl_ns(2) and pidfd_open(2).
internal import CLinux
internal import Glibc

/// What the kernel tells of one of this process's namespaces.
package enum NamespaceReading: Equatable, Sendable {
    /// It is the kernel's first, or this kernel has only one.
    case initial
    case other
    /// Nothing that must be believed tells it.
    case unknown
}

/// A kind of namespace; the raw value is its name in /proc/self/ns.
package enum NamespaceKind: String, CaseIterable, Sendable {
    /// `initial` says besides that all mounts are root's, those over /proc, /sys and /etc too.
    case user
    case pid
    case time

    /// The inode number of the kernel's first (linux/proc_ns.h).
    fileprivate var initialInode: UInt64 {
        switch self {
        case .user: 4_026_531_837
        case .pid: 4_026_531_836
        case .time: 4_026_531_834
        }
    }
}

/// What the kernel tells of a namespace of this process. It doesn't change, and is asked once.
package func readNamespace(_ kind: NamespaceKind) -> NamespaceReading {
    switch kind {
    case .user: userNamespace
    case .pid: pidNamespace
    case .time: timeNamespace
    }
}

private let userNamespace = readUserNamespace()
private let pidNamespace = readOther(.pid)
private let timeNamespace = readOther(.time)

/// Two answers have to agree: who owns the root of procfs, which is user 0 only where the kernel's
/// root is (in an ordinary user's namespace it is nobody's), and the inode number that the kernel's
/// own link tells. A filter of system calls can keep either from coming, and make up neither.
private func readUserNamespace() -> NamespaceReading {
    guard let owner = ProcessFiles.rootOwner else { return .unknown }
    guard owner == 0 else { return .other }
    let kind = NamespaceKind.user
    switch kind.link(kind.rawValue) {
    case .bytes(let text) where text != kind.initialLink: return .other
    // A kernel without user namespaces has no such link.
    case .bytes, .absent: return areMountsAnothers() ? .other : .initial
    case .unreadable: return .unknown
    }
}

private func readOther(_ kind: NamespaceKind) -> NamespaceReading {
    switch kind.link(kind.rawValue) {
    case .bytes(let text): text == kind.initialLink ? .initial : .other
    // In a user namespace a filter may have taken it.
    case .absent: userNamespace == .initial ? .initial : .unknown
    case .unreadable: .unknown
    }
}

extension NamespaceKind {
    /// "user:[4026531837]"
    fileprivate var initialLink: [UInt8] { Array("\(rawValue):[\(initialInode)]".utf8) }

    /// A link of this process's folder `ns`.
    fileprivate func link(_ name: String) -> FileReading {
        let link = ProcessFiles.link("ns/\(name)")
        // Before Linux 5.6: where procfs is root's, nobody but root has mounted anything over it.
        guard link == .unreadable, ProcessFiles.rootOwner == 0 else { return link }
        let path = "/proc/self/ns/\(name)"
        if let text = systemLinkTarget(path) { return .bytes(Array(text.utf8)) }
        return isSystemPathAbsent(path) ? .absent : .unreadable
    }
}

/// Whether this process's clocks are those of the time namespace that /proc/self tells of: its
/// children's. Before Linux 6.2 a process that makes another one keeps its own through execve(2).
var areClocksTold: Bool {
    let own = NamespaceKind.time.link("time")
    return own.bytes != nil && own == NamespaceKind.time.link("time_for_children")
}

/// Whether the kernel says that the mounts that this process sees belong to a user namespace of
/// somebody's. An ordinary user can't leave his own without leaving his mounts; root can (nsenter),
/// and is not to be misled there. Before Linux 6.11 there is no answer.
private func areMountsAnothers() -> Bool {
    let getMounts: UInt = 0xFF03
    let getOwner: UInt = 0xB701
    guard let process = opened(st_pidfd_open(getpid())),
        let mounts = opened(ioctl(process.number, getMounts)),
        let owner = opened(ioctl(mounts.number, getOwner)),
        let attributes = try? owner.attributes()
    else { return false }
    return attributes.inode != NamespaceKind.user.initialInode
}

/// What a call opened. A filter can answer 0 in the kernel's place, which would be the caller's own
/// descriptor.
private func opened(_ number: Int32) -> Descriptor? {
    number > 2 ? Descriptor(owning: number, path: "namespaces") : nil
}
