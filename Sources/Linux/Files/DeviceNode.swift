// A device node that is spoken to by reading and writing, as a TPM is. Opened before the file sandbox
// closes; what is open stays open in it. Bound by DESIGN §5.
internal import Glibc

/// Opens a device for reading and writing.
///
/// - Throws: `SystemError` (`open`).
package func openDeviceNode(_ path: String) throws(SystemError) -> Descriptor {
    try Descriptor(opening: path, O_RDWR | O_NOCTTY)
}

/// Whether this user could open it, without opening it; nil, or why not.
package func obstacle(toDeviceNode path: String) -> SystemError? {
    unsafe access(path, R_OK | W_OK) == 0 ? nil : .last(.open, path)
}

/// The group that a file belongs to, by the name that /etc/group gives it; nil where it gives none.
package func groupName(ofFile path: String) -> String? {
    var info = stat()
    guard unsafe stat(path, &info) == 0,
        let file = try? readSystemFile("/etc/group", limit: 1 << 20)
    else { return nil }
    for line in file.split(separator: UInt8(ascii: "\n")) {
        let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard fields.count > 2, fields[2].elementsEqual("\(info.st_gid)".utf8) else { continue }
        return String(validating: fields[0], as: UTF8.self)
    }
    return nil
}

/// Does something that a signal must not cut in two: all that can be held back wait until it is done.
package func withSignalsHeldBack<R: ~Copyable, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    var all = sigset_t()
    var former = sigset_t()
    unsafe sigfillset(&all)
    unsafe pthread_sigmask(SIG_BLOCK, &all, &former)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &former, nil) }
    return try body()
}
