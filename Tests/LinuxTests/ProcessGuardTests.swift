// What main does first: no memory image, no inherited descriptor, standard descriptors open. Each
// test that changes a process runs in one of its own. Binds DESIGN §3 and §8.
import Foundation
import Glibc
import Testing

@testable import Linux

@Suite("The process guard")
struct ProcessGuardTests {
    @Test("Core files are forbidden, and status can tell")
    func forbidsMemoryImages() async {
        await #expect(processExitsWith: .success) {
            precondition(ProcessGuard.allowsMemoryImages)
            try ProcessGuard.forbidMemoryImages()
            precondition(!ProcessGuard.allowsMemoryImages)
        }
    }

    @Test("Another process of the same user can no longer open its memory")
    func hidesMemoryFromSiblings() async {
        await #expect(processExitsWith: .success) {
            // root may read everything: become somebody else, then dumpable again.
            if geteuid() == 0 {
                precondition(setgid(65534) == 0 && setuid(65534) == 0)
                precondition(chdir("/") == 0 && prctl(4, 1) == 0)
            }
            let before = try canSiblingOpen("environ")
            precondition(before, "it can before")
            try ProcessGuard.forbidMemoryImages()
            for file in ["environ", "mem", "maps"] {
                let after = try canSiblingOpen(file)
                precondition(!after, file)
            }
        }
    }

    @Test("A limit on how long files may get is raised as far as it goes, and a low one told")
    func fileSizeLimit() async {
        await #expect(processExitsWith: .success) {
            func isAllowed(_ soft: rlim_t, _ hard: rlim_t) -> Bool {
                var limit = rlimit(rlim_cur: soft, rlim_max: hard)
                precondition(setrlimit(__rlimit_resource_t(1), &limit) == 0)
                return ProcessGuard.allowFiles(ofByteCount: 128 << 20)
            }
            let none = ~rlim_t(0)
            precondition(isAllowed(none, none))
            precondition(isAllowed(4096, none))
            precondition(isAllowed(4096, 128 << 20))
            var limit = rlimit()
            precondition(getrlimit(__rlimit_resource_t(1), &limit) == 0)
            precondition(limit.rlim_cur == 128 << 20)
            precondition(!isAllowed(4096, (128 << 20) - 1))
        }
    }

    @Test("Inherited descriptors are closed, the kept ones not")
    func closesInheritedDescriptors() async {
        await #expect(processExitsWith: .success) {
            let numbers = (0..<6).map { _ in open("/dev/null", O_RDONLY) }
            let far = fcntl(numbers[0], F_DUPFD, 900)
            ProcessGuard.closeInheritedDescriptors(keeping: [numbers[1], numbers[4], 1, -1])
            for number in numbers + [far] {
                let isOpen = fcntl(number, F_GETFD) >= 0
                precondition(isOpen == (number == numbers[1] || number == numbers[4]))
            }
            precondition(fcntl(2, F_GETFD) >= 0)
        }
    }

    @Test(
        "The descriptors that the command line names are found",
        arguments: [
            (["show", "--pin-fd", "5"], [5]),
            (["show", "--pin-fd=7", "--plain"], [7]),
            (["verify", "--records-key-fd=8", "--key-fd", "9"], [8, 9]),
            (["activate", "--from", "/dev/fd/63"], [63]),
            (["activate", "--from=/proc/self/fd/12", "--pin-fd", "3"], [12, 3]),
            (["show", "--pin-fd"], []),
            (["show", "--pin-fd", "-1"], []),
            (["device", "forbid", "/dev/fd/x"], []),
        ] as [([String], [Int32])])
    func findsNamedDescriptors(arguments: [String], expected: [Int32]) {
        #expect(descriptorsNamed(in: arguments) == expected)
    }
}

/// Whether a process that this one starts can open a file of it in /proc.
private func canSiblingOpen(_ file: String) throws -> Bool {
    // This thread's view: the first thread, ended by the test library, keeps root's identity.
    let thread = threadFolder()
    let reader = Process()
    reader.executableURL = URL(fileURLWithPath: "/bin/sh")
    reader.arguments = ["-c", "exec < /proc/\(thread)/\(file)"]
    reader.standardOutput = FileHandle.nullDevice
    reader.standardError = FileHandle.nullDevice
    try reader.run()
    reader.waitUntilExit()
    return reader.terminationStatus == 0
}

/// PID/task/TID.
private func threadFolder() -> String {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self")) ?? "self"
}

/// prctl(2) by its address: Glibc's module has no variadic functions.
private func prctl(_ option: Int, _ value: Int) -> Int32 {
    typealias Call = @convention(c) (Int, Int, Int, Int, Int) -> Int32
    return unsafeBitCast(dlsym(nil, "prctl"), to: Call.self)(option, value, 0, 0, 0)
}
