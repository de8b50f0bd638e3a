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

    @Test("What tells of its children's clocks tells nothing of a process's own")
    func childrensClocks() async {
        await #expect(processExitsWith: .success) {
            inProcess(unshared: newUser | newTime) {
                inProcess(unshared: newTime) {
                    precondition(!areClocksTold)
                    do {
                        _ = try ClockReading.now()
                        preconditionFailure("its offset was told")
                    } catch let error as SystemError {
                        precondition(error.subject == "/proc/self/timens_offsets")
                    }
                }
            }
        }
    }

    @Test(
        "A filter that answers in the kernel's place makes nothing the first one",
        arguments: [
            // ioctl, openat2, pidfd_open
            [16: EOPNOTSUPP], [16: ENOTTY], [16: 0], [437: ENOSYS], [437: ENOENT], [437: 0],
            [434: ENOSYS], [434: 0, 16: 0], [16: ENOTTY, 434: EPERM, 437: ENOSYS],
        ])
    func filtered(answers: [Int: Int32]) async {
        #if arch(x86_64)
            await #expect(processExitsWith: .success) { [answers = answers as [Int: Int32]] in
                inProcess(unshared: newUser | newTime) {
                    // The way in leaves the namespace's clocks to the children.
                    inProcess(unshared: 0) {
                        filter(answers)
                        precondition(readNamespace(.user) != .initial)
                        precondition(readNamespace(.time) != .initial)
                        precondition(Sandbox.wasFiltered != false)
                        precondition((try? ClockReading.now().boot)?.isBootIDBelieved != true)
                    }
                }
                inProcess(unshared: 0) {
                    filter(answers)
                    precondition(readNamespace(.user) == .initial && Sandbox.wasFiltered == true)
                }
            }
        #endif
    }
}

/// As the system's own links tell it, which nobody forges in a test.
private let isFirst =
    systemLinkTarget("/proc/self/ns/user") == "user:[4026531837]"
    && systemLinkTarget("/proc/self/ns/pid") == "pid:[4026531836]"
private let newUser = 0x1000_0000
private let newTime = 0x80

/// A filter of the caller's: these system calls get an error, or 0, in the kernel's place.
private func filter(_ answers: [Int: Int32]) {
    // struct sock_filter: code, jump if true, jump if false, value.
    func step(_ code: UInt64, else jump: UInt64 = 0, _ value: Int) -> UInt64 {
        code | jump << 24 | UInt64(value) << 32
    }
    var steps = [step(0x20, 0)]
    for (number, error) in answers {
        steps += [step(0x15, else: 1, number), step(0x06, 0x5_0000 | Int(error))]
    }
    steps.append(step(0x06, 0x7FFF_0000))
    steps.withUnsafeMutableBytes { bytes in
        var program = [UInt(bytes.count / 8), UInt(bitPattern: bytes.baseAddress)]
        program.withUnsafeMutableBytes { program in
            let (noNewPrivileges, setFilter) = (38, 22)
            precondition(call(157, noNewPrivileges, 1, 0) == 0)
            precondition(call(157, setFilter, 2, Int(bitPattern: program.baseAddress)) == 0)
        }
    }
}

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
