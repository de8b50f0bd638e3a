// How another program is started: of this one's descriptors it gets those that are named here. The
// three who start programs (ChildProcess, BackgroundProcess, ProgramRun) differ in what they wait
// for. Bound by DESIGN §8 ("What must spawn").
internal import CLinux
internal import Glibc

/// Whose terminal and signals a program has.
enum SpawnedSession {
    /// This program's.
    case same
    /// One of its own, and no signal is ignored: what this program ignores is none of the other's.
    case new

    /// POSIX_SPAWN_SETSID, which the Glibc module lacks.
    fileprivate static let flag: Int16 = 0x80
}

/// Starts the program at a path.
///
/// - Parameters:
///   - arguments: its name first.
///   - environment: all that it gets, `NAME=value` each; nil for this program's own.
///   - streams: what its descriptors 0, 1 and 2 are open on; nil is /dev/null.
/// - Throws: `SystemError` (`start`).
func spawn(
    _ path: String, _ arguments: [String], environment: [String]? = nil,
    streams: [Int32?], session: SpawnedSession = .same
) throws(SystemError) -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    for (place, stream) in streams.enumerated() {
        if let stream {
            unsafe posix_spawn_file_actions_adddup2(&actions, stream, Int32(place))
        } else {
            unsafe posix_spawn_file_actions_addopen(
                &actions, Int32(place), "/dev/null", place == 0 ? O_RDONLY : O_WRONLY, 0)
        }
    }
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    if session == .new {
        var signals = sigset_t()
        unsafe sigfillset(&signals)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGDEF) | SpawnedSession.flag)
    }
    let words = unsafe CStrings(arguments)
    let variables = unsafe environment.map { unsafe CStrings($0) }
    defer {
        unsafe words.free()
        unsafe variables?.free()
    }
    var process = pid_t()
    let code = unsafe posix_spawn(
        &process, path, &actions, &attributes, words.pointers, variables?.pointers ?? environ)
    guard code == 0 else { throw SystemError(.start, path, code: code) }
    return process
}

/// Texts as posix_spawn takes them: a pointer each, and none behind the last.
@unsafe private struct CStrings {
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ texts: [String]) {
        unsafe pointers = .allocate(capacity: texts.count + 1)
        for (index, text) in texts.enumerated() { unsafe pointers[index] = strdup(text) }
        unsafe pointers[texts.count] = nil
        unsafe count = texts.count
    }

    func free() {
        for index in unsafe 0..<count { unsafe Glibc.free(pointers[index]) }
        unsafe pointers.deallocate()
    }
}

/// Both ends of a pipe; no program inherits them but by its streams.
struct Pipe: ~Copyable {
    let reading: Descriptor
    let writing: Descriptor

    /// - Parameter name: how errors name it.
    /// - Throws: `SystemError` (`start`).
    init(_ name: String) throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw .last(.start, name) }
        for number in ends { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
        reading = Descriptor(owning: ends[0], path: name)
        writing = Descriptor(owning: ends[1], path: name)
    }
}

/// A pipe that holds bytes and is at its end behind them.
///
/// - Parameter bytes: at most 64 KiB, what a pipe holds by pipe(7): more would wait for a reader.
/// - Returns: the end to read from.
/// - Throws: `SystemError` (`start`, `write`).
package func filledPipe(_ bytes: Span<UInt8>) throws(SystemError) -> Descriptor {
    precondition(bytes.count <= 1 << 16, "a pipe holds 64 KiB")
    let pipe = try Pipe("a pipe")
    try pipe.writing.write(bytes)
    return pipe.reading
}
