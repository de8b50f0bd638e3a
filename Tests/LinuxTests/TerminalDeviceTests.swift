// The terminal's modes, signals as events, ticks. Each in a process of its own where it changes one.
// Binds DESIGN §8.
import Foundation
import Glibc
import Testing

@testable import Linux

@Suite("The terminal device", .serialized)
struct TerminalDeviceTests {
    @Test("Echo is off from silence on, between prompts too, and back at the end")
    func silences() async {
        await #expect(processExitsWith: .success) {
            let ends = PseudoTerminal()
            do {
                let device = try TerminalDevice(
                    adopting: Descriptor(owning: dup(ends.terminal), path: "terminal"))
                precondition(ends.isEchoing, "nothing changes before it is asked for")
                try device.silence()
                precondition(!ends.isEchoing)
                device.requestBracketedPaste()
                device.enterAlternateScreen()
                device.restore()
                precondition(ends.isEchoing)
                let written = ends.written()
                precondition(written.contains("\u{1B}[?2004h") && written.contains("[?1049h"))
                precondition(written.contains("\u{1B}[?2004l"), "a paste is marked no longer")
                precondition(written.hasSuffix("\u{1B}[H\u{1B}[2J\u{1B}[?25h\u{1B}[?1049l"))
                try device.silence()
                device.enterAlternateScreen()
            }
            precondition(ends.isEchoing, "the end restores")
            precondition(ends.written().hasSuffix("[?1049l"))
        }
    }

    @Test(
        "A signal or a trap between two prompts restores, and still ends the process by itself",
        arguments: [SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGSEGV, SIGILL, SIGABRT])
    func restoresOnSignals(number: Int32) async throws {
        let screen = NSTemporaryDirectory() + "softtoken-\(UUID().uuidString)"
        defer { unlink(screen) }
        await #expect(processExitsWith: .signal(number)) { [number, screen = screen as String] in
            unblockSignals()
            let ends = PseudoTerminal()
            let device = try TerminalDevice(
                adopting: Descriptor(owning: dup(ends.terminal), path: "terminal"))
            try device.silence()
            device.enterAlternateScreen()
            // The last word of a dying process: what another saw of its terminal.
            let watcher = Process()
            watcher.executableURL = URL(fileURLWithPath: "/bin/sh")
            watcher.arguments = ["-c", "cat <&0 > \(screen)"]
            watcher.standardInput = FileHandle(fileDescriptor: ends.other)
            try watcher.run()
            pthread_kill(pthread_self(), number)
            sleep(5)
            device.restore()
        }
        for _ in 0..<50 where !left(screen) { try await Task.sleep(for: .milliseconds(50)) }
        #expect(left(screen))
    }

    @Test("Ctrl-D, keys and hang-ups are told apart while waiting")
    func waits() async {
        await #expect(processExitsWith: .success) {
            let ends = PseudoTerminal()
            let device = try TerminalDevice(
                adopting: Descriptor(owning: dup(ends.terminal), path: "terminal"))
            let signals = try SignalQueue()
            try device.silence()
            precondition(device.wait(signals, milliseconds: 10) == .timeout)
            precondition(write(ends.other, "\u{4}", 1) == 1)
            precondition(device.wait(signals, milliseconds: 1000) == .input)
            var bytes: [UInt8] = [0]
            var span = bytes.mutableSpan
            precondition(device.readByte(into: &span, at: 0) && span[0] == 4)
            pthread_kill(pthread_self(), SIGWINCH)
            precondition(write(ends.other, "x", 1) == 1)
            precondition(device.wait(signals) == .signal, "signals come first")
            precondition(signals.next() == .resize && signals.next() == nil)
            close(ends.other)
            // What was typed may be read before the end is seen, or be lost with it.
            if device.wait(signals, milliseconds: 1000) == .input {
                while device.readByte(into: &span, at: 0) {}
            }
            precondition(!device.readByte(into: &span, at: 0))
        }
    }

    @Test("A queue holds a signal back, and lets it through at its end")
    func holdsSignals() async {
        await #expect(processExitsWith: .signal(SIGTERM)) {
            unblockSignals()
            do {
                let signals = try SignalQueue()
                pthread_kill(pthread_self(), SIGINT)
                precondition(signals.next() == .interrupt, "taken: it does nothing more")
                pthread_kill(pthread_self(), SIGTERM)
                precondition(signals.descriptor.number >= 0, "not taken")
            }
            exit(0)
        }
    }

    @Test("A tick comes at each full second of the wall clock, once")
    func ticks() throws {
        let timer = try SecondTimer()
        for _ in 0..<2 {
            let event = waitForEvents(
                input: -1, signals: -1, timer: timer.descriptor.number, milliseconds: 1500)
            #expect(event == .tick)
            timer.acknowledge()
            let nanoseconds = try ClockReading.now().unixNanoseconds
            #expect(nanoseconds < 200_000_000)
            let more = waitForEvents(
                input: -1, signals: -1, timer: timer.descriptor.number, milliseconds: 0)
            #expect(more == .timeout)
        }
    }

    @Test("The zone is still known when its file can't be read any more")
    func keepsZone() async {
        await #expect(processExitsWith: .success) {
            setenv("TZ", "America/New_York", 1)
            guard access("/usr/share/zoneinfo/America/New_York", R_OK) == 0 else { return }
            LocalTime.prepare()
            try Sandbox.confineFiles(to: [])
            let time = LocalTime(atUnixSeconds: 1_000_000_000)
            precondition(time.withSeconds == "21:46:40", time.withSeconds)
            precondition(LocalTime(atUnixSeconds: 1_010_000_000).hoursAndMinutes == "14:33")
        }
    }
}

@Suite("A zone that names no zone file") struct ZoneTests {
    @Test(
        "TZ that names a pipe, a device, a folder or an endless file is UTC and waits for nothing",
        arguments: ["PIPE", ":PIPE", "../../../PIPE", "/dev/ptmx", "/tmp", "/proc/kmsg"])
    func waitsForNothing(zone: String) async {
        await #expect(processExitsWith: .success) { [zone] in
            let pipe = "/tmp/softtoken-zone-\(getpid())"
            precondition(mkfifo(pipe, 0o600) == 0)
            defer { unlink(pipe) }
            setenv("TZDIR", "/usr/share/zoneinfo", 1)
            setenv(
                "TZ",
                zone.replacingOccurrences(
                    of: "PIPE", with: zone.hasPrefix(".") ? String(pipe.dropFirst()) : pipe), 1)
            alarm(5)  // a test that waited for ever would not fail
            precondition(LocalTime(atUnixSeconds: 1_000_000_000).withSeconds == "01:46:40")
        }
    }

    @Test("A zone spelled out, a zone file and an unknown zone are what they always were")
    func ordinary() async {
        await #expect(processExitsWith: .success) {
            setenv("TZ", "XST-3", 1)
            precondition(LocalTime(atUnixSeconds: 0).hoursAndMinutes == "03:00")
        }
        await #expect(processExitsWith: .success) {
            setenv("TZ", "No/Such", 1)
            precondition(LocalTime(atUnixSeconds: 0).hoursAndMinutes == "00:00")
        }
    }
}

/// Both ends of a pseudo-terminal.
private struct PseudoTerminal {
    let terminal: Int32
    let other: Int32

    init() {
        var near: Int32 = 0
        var far: Int32 = 0
        precondition(openpty(&far, &near, nil, nil, nil) == 0)
        (terminal, other) = (near, far)
        for number in [near, far] { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
    }

    var isEchoing: Bool {
        var modes = termios()
        precondition(tcgetattr(terminal, &modes) == 0)
        return modes.c_lflag & tcflag_t(ECHO) != 0 && modes.c_lflag & tcflag_t(ICANON) != 0
    }

    /// What the terminal has shown since the last call.
    func written() -> String {
        var all: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 4096)
        var polled = pollfd(fd: other, events: Int16(POLLIN), revents: 0)
        while poll(&polled, 1, 200) > 0 {
            let count = read(other, &bytes, bytes.count)
            guard count > 0 else { break }
            all += bytes.prefix(count)
        }
        return String(decoding: all, as: UTF8.self)
    }
}

/// The test library's threads block every signal, which a program's first thread does not.
private func unblockSignals() {
    var all = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_UNBLOCK, &all, nil)
}

/// Whether the screen, as it was written down, ends with the alternate one being left.
private func left(_ path: String) -> Bool {
    let written = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    return written.hasSuffix("\u{1B}[?1049l")
}
