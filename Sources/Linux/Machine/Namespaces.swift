// Which namespaces this process lies in. The answer must come from the kernel: whoever may mount
// (a user namespace is enough) can put files of his own where /proc stands.
// Bound by Device/FORMAT.md §6 and ioctl_ns(2).
internal import Glibc

/// What the kernel tells of one of this process's namespaces.
package enum NamespaceReading: Equatable, Sendable {
    /// It is the namespace with this inode number.
    case inode(UInt64)
    /// This kernel has no such kind.
    case absent
    /// What stands at /proc/self/ns is not the kernel's.
    case forged
}

/// A kind of namespace; the raw value is its name in /proc/self/ns.
package enum NamespaceKind: String, CaseIterable, Sendable {
    case mount = "mnt"
    case user
    case pid
    case time

    /// The flag of clone(2) by which NS_GET_NSTYPE answers.
    fileprivate var flag: Int32 {
        switch self {
        case .mount: 0x0002_0000
        case .user: 0x1000_0000
        case .pid: 0x2000_0000
        case .time: 0x80
        }
    }
}

/// Reads /proc/self/ns, and believes only what the kernel itself calls a namespace of that kind.
package func readNamespace(_ kind: NamespaceKind) -> NamespaceReading {
    let path = "/proc/self/ns/\(kind.rawValue)"
    let number = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else { return errno == ENOENT ? .absent : .forged }
    let file = Descriptor(owning: number, path: path)
    let getType: UInt = 0xB703
    guard ioctl(number, getType) == kind.flag, let attributes = try? file.attributes() else {
        return .forged
    }
    return .inode(attributes.inode)
}
