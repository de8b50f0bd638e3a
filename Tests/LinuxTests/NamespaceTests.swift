// What the kernel tells of the namespaces that a process made for itself: each test runs in a process
// of its own. Binds Device/FORMAT.md §6. Forgeries of /proc are in Tests/System/Transcripts.
import Glibc
import Testing

@testable import Linux

@Suite("Namespaces", .enabled(if: isFirst, "these tests run in a namespace of somebody's own"))
struct NamespaceTests {
    @Test("Outside of a user namespace the boot's id is believed, and mounts are root's")
    func outside() async {
        await #expect(processExitsWith: .success) {
            precondition(readNamespace(.user) == .initial && SystemTree.areMountsRoots)
            let boot = try ClockReading.now().boot
            precondition(boot.isBootIDBelieved && boot.offsetNanoseconds == 0)
        }
    }

    @Test("In a user namespace neither is, and the clocks can still be read")
    func inside() async {
        await #expect(processExitsWith: .success) {
            inProcess(unshared: newUser) {
                precondition(readNamespace(.user) == .other && readNamespace(.pid) == .initial)
                precondition(readNamespace(.time) == .initial && !SystemTree.areMountsRoots)
                let boot = try ClockReading.now().boot
                precondition(!boot.isBootIDBelieved && boot.offsetNanoseconds == 0)
                let mounts = SystemTree.real.bytes("/proc/self/mountinfo", limit: 65_536)
                precondition(mounts.flatMap { lastMount(at: "/", in: $0) } != nil)
            }
        }
    }

    @Test("A process in another time namespace knows how far its clock is shifted")
    func shifted() async {
        await #expect(processExitsWith: .success) {
            inProcess(unshared: newUser | newTime) {
                let file = open("/proc/self/timens_offsets", O_WRONLY)
                let line = Array("boottime 86400 5\n".utf8)
                guard file >= 0, write(file, line, line.count) == line.count else { return }
                // The namespace is the children's.
                inProcess(unshared: 0) {
                    precondition(readNamespace(.time) == .other)
                    let boot = try ClockReading.now().boot
                    precondition(boot.offsetNanoseconds == 86_400_000_000_005)
                }
            }
        }
    }
}

/// As the system's own links tell it, which nobody forges in a test.
private let isFirst =
    systemLinkTarget("/proc/self/ns/user") == "user:[4026531837]"
    && systemLinkTarget("/proc/self/ns/pid") == "pid:[4026531836]"
private let newUser = 0x1000_0000
private let newTime = 0x80

/// Runs `body` in a child process, which has one thread, in new namespaces; a system that keeps
/// them from its users passes.
private func inProcess(unshared namespaces: Int, _ body: () throws -> Void) {
    #if arch(x86_64)
        let (clone, unshare) = (56, 272)
    #else
        let (clone, unshare) = (220, 97)
    #endif
    let child = call(clone, Int(SIGCHLD), 0, 0)
    guard child != 0 else {
        if call(unshare, namespaces, 0, 0) == 0 {
            do { try body() } catch { _exit(1) }
        }
        _exit(0)
    }
    var status: Int32 = 0
    precondition(waitpid(pid_t(child), &status, 0) == pid_t(child) && status == 0)
}
