// Which namespaces this process lies in, and with that, who can have mounted what it sees. The answer
// must be the kernel's own: in a user namespace anybody mounts what he likes over /proc and /etc.
// Bound by Device/FORMAT.md §6, ioctl_ns(2) and pidfd_open(2).
internal import CLinux
internal import Glibc

/// What the kernel tells of one of this process's namespaces.
package enum NamespaceReading: Equatable, Sendable {
    /// It is the kernel's first, or the only one that this kernel has.
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

    /// The number of PIDFD_GET_…_NAMESPACE (linux/pidfd.h).
    fileprivate var request: UInt {
        switch self {
        case .user: 9
        case .pid: 5
        case .time: 7
        }
    }
}

/// What the kernel tells of a namespace of this process. It doesn't change, and is asked once.
///
/// From Linux 6.11 on it answers by itself, whatever stands at /proc. Before, whoever owns the root
/// of procfs is root only where root's own number is known: in a user namespace that somebody else
/// made it is nobody's. Where it is root, only root mounts, and /proc/self/ns can be believed.
package func readNamespace(_ kind: NamespaceKind) -> NamespaceReading {
    switch kind {
    case .user: userNamespace
    case .pid: pidNamespace
    case .time: timeNamespace
    }
}

private let userNamespace = read(.user)
private let pidNamespace = read(.pid)
private let timeNamespace = read(.time)

private func read(_ kind: NamespaceKind) -> NamespaceReading {
    if let answer = askKernel(kind) { return answer }
    guard let owner = ProcessFiles.rootOwner else { return .unknown }
    guard owner == 0 else { return kind == .user ? .other : .unknown }
    return readLink(kind)
}

private func askKernel(_ kind: NamespaceKind) -> NamespaceReading? {
    let number = st_pidfd_open(getpid())
    guard number >= 0 else { return nil }
    let process = Descriptor(owning: number, path: "namespaces")
    guard let answer = namespace(process, pidfdRequests | kind.request, kind) else { return nil }
    guard kind == .user, answer == .initial else { return answer }
    return areMountsRoots(process) ? .initial : .other
}

/// Whether the mounts that this process sees belong to the first user namespace. An ordinary user
/// can't leave his own without leaving his mounts; root can (nsenter), and is not to be misled there.
private func areMountsRoots(_ process: borrowing Descriptor) -> Bool {
    let getMounts: UInt = 3
    let number = ioctl(process.number, pidfdRequests | getMounts)
    guard number >= 0 else { return false }
    let getOwner: UInt = 0xB701
    return namespace(Descriptor(owning: number, path: "namespaces"), getOwner, .user) == .initial
}

/// The namespace that a request names; nil if this kernel doesn't know the request.
private func namespace(
    _ asked: borrowing Descriptor, _ request: UInt, _ kind: NamespaceKind
) -> NamespaceReading? {
    let number = ioctl(asked.number, request)
    guard number >= 0 else { return errno == EOPNOTSUPP ? .initial : nil }
    let file = Descriptor(owning: number, path: "namespaces")
    guard let attributes = try? file.attributes() else { return nil }
    return attributes.inode == kind.initialInode ? .initial : .other
}

private let pidfdRequests: UInt = 0xFF00

/// "user:[4026531837]"; a kernel without that kind has no such link.
private func readLink(_ kind: NamespaceKind) -> NamespaceReading {
    let path = "/proc/self/ns/\(kind.rawValue)"
    guard let text = systemLinkTarget(path) else {
        return isSystemPathAbsent(path) ? .initial : .unknown
    }
    return text == "\(kind.rawValue):[\(kind.initialInode)]" ? .initial : .other
}
