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

    package init(bootID: [UInt8], nanoseconds: UInt64, offsetNanoseconds: Int64 = 0) {
        self.bootID = bootID
        self.nanoseconds = nanoseconds
        self.offsetNanoseconds = offsetNanoseconds
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
    /// - Throws: `SystemError` (`read`) if the boot can't be named.
    package static func now() throws(SystemError) -> ClockReading {
        var wall = timespec()
        var boot = timespec()
        guard unsafe clock_gettime(CLOCK_REALTIME, &wall) == 0,
            unsafe clock_gettime(CLOCK_BOOTTIME, &boot) == 0
        else { throw .last(.read, "clock") }
        return ClockReading(
            unixSeconds: Int64(wall.tv_sec), unixNanoseconds: Int64(wall.tv_nsec),
            boot: BootTime(
                bootID: try readBootID(),
                nanoseconds: UInt64(boot.tv_sec) * 1_000_000_000 + UInt64(boot.tv_nsec),
                offsetNanoseconds: bootTimeOffset()),
            isSynchronized: isWallClockSynchronized())
    }

    private static func readBootID() throws(SystemError) -> [UInt8] {
        let path = "/proc/sys/kernel/random/boot_id"
        let text = try readSystemFile(path, limit: 64)
        var digits: [UInt8] = []
        for byte in text where byte != UInt8(ascii: "-") && byte != UInt8(ascii: "\n") {
            digits.append(byte)
        }
        guard let bytes = bytesFromHexadecimal(digits), bytes.count == 16 else {
            throw SystemError(.read, path, code: EINVAL)
        }
        return bytes
    }

    /// The boottime line of /proc/self/timens_offsets: "boottime SECONDS NANOSECONDS".
    private static func bootTimeOffset() -> Int64 {
        guard let text = try? readSystemFile("/proc/self/timens_offsets", limit: 512) else {
            return 0
        }
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 3, words[0] == "boottime", let seconds = Int64(words[1]),
                let nanoseconds = Int64(words[2])
            else { continue }
            return seconds &* 1_000_000_000 &+ nanoseconds
        }
        return 0
    }

    private static func isWallClockSynchronized() -> Bool? {
        var status: Int32 = 0
        let state = unsafe st_clock_state(&status)
        guard state >= 0 else { return nil }
        return state != TIME_ERROR && status & STA_UNSYNC == 0
    }
}
