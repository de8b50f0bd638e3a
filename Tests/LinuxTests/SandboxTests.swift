// The sandbox from inside: each test runs in a process of its own and tries what must not work.
// Binds DESIGN §1.7 and §8.
import Foundation
import Glibc
import Testing

@testable import Linux

@Suite("The network filter")
struct NetworkFilterTests {
    @Test(
        "The kernel's status tells of a filter; a status without its line tells nothing",
        arguments: [
            ("Name:\tx\nSeccomp:\t0\nSeccomp_filters:\t0\n", false),
            ("Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t1\n", true), ("\nSeccomp:\t1\n", true),
            ("\nSeccomp:\t", true), ("\nSeccomp:\t02\n", true), ("", nil), ("Name:\tx\n", nil),
        ] as [(String, Bool?)])
    func status(text: String, isFiltered expected: Bool?) {
        #expect(isFiltered(status: text) == expected)
    }

    @Test("No socket of any family is made, and the probe says so")
    func refusesSockets() async {
        await #expect(processExitsWith: .success) {
            precondition(!Sandbox.isNetworkBlocked, "a socket can be had before")
            try Sandbox.blockNetwork()
            precondition(Sandbox.isNetworkBlocked)
            for kind in [SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET] {
                // 45: more than there are families.
                for family in 0..<Int32(45) {
                    var pair: [Int32] = [0, 0]
                    precondition(socket(family, Int32(kind.rawValue), 0) < 0 && errno == EACCES)
                    precondition(socketpair(family, Int32(kind.rawValue), 0, &pair) < 0)
                    precondition(errno == EACCES)
                }
            }
            // The kernel takes the low 32 bits of a family.
            precondition(call(Number.socket, 1 << 32 | Int(AF_UNIX), 1, 0) == -1)
            precondition(errno == EACCES)
        }
    }

    @Test("A socket that was inherited is read and written, and reaches nothing else")
    func confinesInheritedSockets() async {
        await #expect(processExitsWith: .success) {
            var pair: [Int32] = [0, 0]
            precondition(socketpair(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0, &pair) == 0)
            let loose = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
            try Sandbox.blockNetwork()
            var byte: UInt8 = 7
            precondition(write(pair[0], &byte, 1) == 1 && read(pair[1], &byte, 1) == 1)
            var address = sockaddr()
            address.sa_family = sa_family_t(AF_INET)
            let size = socklen_t(MemoryLayout<sockaddr>.size)
            precondition(connect(loose, &address, size) < 0 && errno == EACCES)
            precondition(bind(loose, &address, size) < 0 && errno == EACCES)
            precondition(sendto(loose, &byte, 1, 0, &address, size) < 0 && errno == EACCES)
            precondition(send(pair[0], &byte, 1, 0) < 0 && errno == EACCES)
            precondition(listen(loose, 1) < 0 && errno == EACCES)
            precondition(accept(loose, nil, nil) < 0 && errno == EACCES)
            var message = msghdr()
            precondition(sendmsg(pair[0], &message, 0) < 0 && errno == EACCES)
            precondition(recvmsg(pair[1], &message, 0) < 0 && errno == EACCES)
            for number in Number.several {
                precondition(call(number, Int(pair[1]), 0, 0) == -1 && errno == EACCES)
            }
        }
    }

    @Test("io_uring is not there", arguments: [425, 426, 427])
    func refusesRing(number: Int) async {
        await #expect(processExitsWith: .success) { [number] in
            try Sandbox.blockNetwork()
            precondition(call(Int32(number), 1, 0, 0) == -1 && errno == ENOSYS)
        }
    }

    @Test("Reaching into another process is refused")
    func refusesOtherProcesses() async {
        await #expect(processExitsWith: .success) {
            try Sandbox.blockNetwork()
            for number in [Number.ptrace, Number.readMemory, Number.writeMemory, 438] {
                precondition(call(Int32(number), 0, 0, 0) == -1 && errno == EPERM)
            }
        }
    }

    #if arch(x86_64)
        @Test("A call by x32's numbers ends the process")
        func killsForeignABI() async {
            await #expect(processExitsWith: .signal(SIGSYS)) {
                precondition(call(0x4000_0000 | 39, 0, 0, 0) != 0)
                try Sandbox.blockNetwork()
                _ = call(0x4000_0000 | 39, 0, 0, 0)
            }
        }
    #endif
}

@Suite(
    "The file sandbox", .serialized, .enabled(if: landlockIsThere, "this kernel has no Landlock"))
final class FileSandboxTests {
    /// What a confined process has made it can't remove: this one does.
    deinit { try? FileManager.default.removeItem(atPath: placeOfTests(getpid())) }

    @Test("Inside the folders everything works that the keystore needs")
    func allowsFolders() async {
        await #expect(processExitsWith: .success) {
            let place = try ConfinedPlace()
            try place.directory.replace("keystore", bytes: [1, 2, 3].span)
            try place.directory.replace("keystore", bytes: [4, 5].span)
            let content = try place.directory.contents(of: "keystore", limit: 8)
            precondition(content == [4, 5])
            let file = open(place.directory.path + "/keystore", O_RDWR | O_TRUNC)
            precondition(file >= 0 && flock(file, LOCK_EX) == 0)
            try place.directory.remove("keystore")
        }
    }

    @Test("Outside of the folders nothing is read, written or made, and the probe says so")
    func refusesOutside() async {
        await #expect(processExitsWith: .success) {
            precondition(!Sandbox.areFilesConfined)
            let place = try ConfinedPlace()
            let outside = place.outside
            precondition(Sandbox.areFilesConfined)
            precondition(open(outside, O_RDONLY) < 0 && errno == EACCES)
            precondition(open(outside, O_WRONLY) < 0 && errno == EACCES)
            precondition(open(outside + ".new", O_WRONLY | O_CREAT, 0o600) < 0 && errno == EACCES)
            precondition(unlink(outside) < 0 && errno == EACCES)
            for path in ["/etc/passwd", "/dev/tty", "/proc/self/mem", "/proc/self/environ"] {
                precondition(open(path, O_RDONLY) < 0 && errno == EACCES, path)
            }
            precondition(mkdir(place.directory.path + "/folder", 0o700) < 0 && errno == EACCES)
            precondition(symlink("/etc", place.directory.path + "/link") < 0 && errno == EACCES)
        }
    }

    @Test("The clocks can still be read, and what was open stays open")
    func keepsClocks() async {
        await #expect(processExitsWith: .success) {
            let before = try ClockReading.now()
            let passwords = open("/etc/passwd", O_RDONLY)
            _ = try ConfinedPlace()
            for _ in 0..<3 {
                let now = try ClockReading.now()
                precondition(now.boot.bootID == before.boot.bootID)
                precondition(now.boot.offsetNanoseconds == before.boot.offsetNanoseconds)
            }
            var byte: UInt8 = 0
            precondition(read(passwords, &byte, 1) == 1)
            precondition(open("/proc/sys/kernel/random/boot_id", O_RDONLY) < 0 && errno == EACCES)
        }
    }

    @Test("TCP is refused from ABI 4 on, signals to others from ABI 6 on")
    func refusesTCPAndSignals() async {
        await #expect(processExitsWith: .success) {
            let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            let parent = getppid()
            precondition(kill(parent, 0) == 0)
            _ = try ConfinedPlace()
            var address = sockaddr()
            address.sa_family = sa_family_t(AF_INET)
            let size = socklen_t(MemoryLayout<sockaddr>.size)
            if abi >= 4 { precondition(bind(socket, &address, size) < 0 && errno == EACCES) }
            if abi >= 6 { precondition(kill(parent, 0) < 0 && errno == EPERM) }
        }
    }
}

/// System calls that Glibc's module doesn't name.
private enum Number {
    #if arch(x86_64)
        static let socket = 41
        static let ptrace = 101
        static let readMemory = 310
        static let writeMemory = 311
        /// accept4, sendmmsg, recvmmsg
        static let several = [288, 307, 299]
    #else
        static let socket = 198
        static let ptrace = 117
        static let readMemory = 270
        static let writeMemory = 271
        /// accept4, sendmmsg, recvmmsg
        static let several = [242, 269, 243]
    #endif
}

/// A system call by number: Glibc's module has no variadic functions.
func call(_ number: some BinaryInteger, _ a: Int, _ b: Int, _ c: Int) -> Int {
    typealias Call = @convention(c) (Int, Int, Int, Int, Int, Int, Int) -> Int
    let syscall = unsafeBitCast(dlsym(nil, "syscall"), to: Call.self)
    return syscall(Int(number), a, b, c, 0, 0, 0)
}

private let abi = call(444, 0, 0, 1)
private let landlockIsThere = abi >= 1

/// The folder of one test run, named for the process that runs it.
private func placeOfTests(_ process: pid_t) -> String {
    NSTemporaryDirectory() + "softtoken-sandbox-\(process)"
}

/// A private folder that this process is confined to, and a file beside it.
private final class ConfinedPlace {
    let directory: Directory
    let outside: String

    init() throws {
        let base = placeOfTests(getppid())
        directory = try Directory.openOrCreate(base + "/data")
        outside = base + "/outside"
        try Data([1]).write(to: URL(fileURLWithPath: outside))
        try Sandbox.confineFiles(to: [directory.descriptor.number])
    }
}
