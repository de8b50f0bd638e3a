// The device's clocks, read in one place. Nothing below the program reads them (STYLE 19): these
// values are arguments. Delays run on boot time (DESIGN §4), OTPs on the wall clock (RFC 6238 §4.2).
internal import CLinux
internal import Glibc

/// A moment in boot time: nanoseconds since the boot that `bootID` names, suspend included.
package struct BootTime: Equatable, Sendable {
    /// /proc/sys/kernel/random/boot_id, 16 bytes.
    package let bootID: [UInt8]
    /// CLOCK_BOOTTIME, nanoseconds, as this process sees it.
    package let nanoseconds: UInt64
    /// The time namespace's offset to that clock, nanoseconds; 0 outside of one.
    package let offsetNanoseconds: Int64
    /// Whether `bootID` is the kernel's. In a user namespace, and with a filter of system calls,
    /// anybody can make another one up: there it proves nothing that it differs.
    package let isBootIDBelieved: Bool

    package init(
        bootID: [UInt8], nanoseconds: UInt64, offsetNanoseconds: Int64 = 0,
        isBootIDBelieved: Bool = true
    ) {
        self.bootID = bootID
        self.nanoseconds = nanoseconds
        self.offsetNanoseconds = offsetNanoseconds
        self.isBootIDBelieved = isBootIDBelieved
    }
}

/// All the clocks at one moment.
package struct ClockReading: Equatable, Sendable {
    /// The wall clock, seconds since 1970-01-01T00:00:00Z.
    package let unixSeconds: Int64
    /// The wall clock's fraction, nanoseconds.
    package let unixNanoseconds: Int64
    package let boot: BootTime
    /// Whether the kernel calls the wall clock synchronized (adjtimex); nil if it doesn't say.
    package let isSynchronized: Bool?

    package init(
        unixSeconds: Int64, unixNanoseconds: Int64 = 0, boot: BootTime, isSynchronized: Bool?
    ) {
        self.unixSeconds = unixSeconds
        self.unixNanoseconds = unixNanoseconds
        self.boot = boot
        self.isSynchronized = isSynchronized
    }

    /// Reads the clocks now.
    ///
    /// - Throws: `SystemError` (`read`) if the boot can't be named, or how far its clock is shifted.
    package static func now() throws(SystemError) -> ClockReading {
        let boot = try Boot.own.get()
        var wall = timespec()
        var sinceBoot = timespec()
        guard unsafe clock_gettime(CLOCK_REALTIME, &wall) == 0,
            unsafe clock_gettime(CLOCK_BOOTTIME, &sinceBoot) == 0
        else { throw .last(.read, "clock") }
        return ClockReading(
            unixSeconds: Int64(wall.tv_sec), unixNanoseconds: Int64(wall.tv_nsec),
            boot: BootTime(
                bootID: boot.id,
                nanoseconds: UInt64(sinceBoot.tv_sec) * 1_000_000_000 + UInt64(sinceBoot.tv_nsec),
                offsetNanoseconds: boot.offsetNanoseconds,
                isBootIDBelieved: SystemTree.areMountsRoots && Sandbox.wasFiltered == false),
            isSynchronized: isWallClockSynchronized())
    }

    /// Reads what files tell of the boot; later readings need none. Call it before the file sandbox
    /// closes.
    package static func prepare() { _ = Boot.own }

    private static func isWallClockSynchronized() -> Bool? {
        var status: Int32 = 0
        let state = unsafe st_clock_state(&status)
        guard state >= 0 else { return nil }
        return state != TIME_ERROR && status & STA_UNSYNC == 0
    }
}

/// Milliseconds since some moment before; no step of the wall clock moves it (CLOCK_MONOTONIC).
public func monotonicMilliseconds() -> Int64 {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
}

/// What doesn't change while a process lives.
private struct Boot {
    let id: [UInt8]
    let offsetNanoseconds: Int64

    static let own = Result { () throws(SystemError) in
        Boot(id: try readID(), offsetNanoseconds: try readOffset())
    }

    private static func readID() throws(SystemError) -> [UInt8] {
        let path = "/proc/sys/kernel/random/boot_id"
        let text = try readSystemFile(path, limit: 64)
        let digits = text.filter { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: "\n") }
        guard let bytes = TextAlphabet.hexadecimal.bytes(digits), bytes.count == 16 else {
            throw SystemError(.read, path, code: EINVAL)
        }
        return bytes
    }

    /// A shift that isn't told would end a delay early.
    private static func readOffset() throws(SystemError) -> Int64 {
        guard readNamespace(.time) != .initial else { return 0 }
        let path = "/proc/self/timens_offsets"
        guard areClocksTold, let text = SystemTree.real.bytes(path, limit: 512),
            let offset = bootTimeOffset(String(decoding: text, as: UTF8.self))
        else { throw SystemError(.read, path, code: EACCES) }
        return offset
    }
}

/// The boottime line of /proc/self/timens_offsets, "boottime SECONDS NANOSECONDS", in nanoseconds.
private func bootTimeOffset(_ text: String) -> Int64? {
    for line in text.split(separator: "\n") {
        let words = line.split(separator: " ")
        guard words.count == 3, words[0] == "boottime", let seconds = Int64(words[1]),
            let nanoseconds = Int64(words[2])
        else { continue }
        return seconds &* 1_000_000_000 &+ nanoseconds
    }
    return nil
}
