// The environment and the local calendar, read in one place. No secret comes from either.
internal import Glibc

/// An environment variable's value; nil if it is not set. Never a secret (CONTRACT §1).
package func environmentVariable(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
}

/// The user that files are made for.
package func effectiveUserID() -> UInt32 { geteuid() }

/// Whether a descriptor is a terminal.
package func isTerminal(_ number: Int32) -> Bool { isatty(number) == 1 }

/// A day and time as this device's clock shows them.
package enum LocalTime {
    /// Reads the time zone, once, before files are confined.
    package static func readZone() { tzset() }

    /// "2026-11-23".
    package static func date(unixSeconds: Int64) -> String {
        let parts = broken(unixSeconds)
        return "\(padded(Int(parts.tm_year) + 1900, 4))-\(padded(Int(parts.tm_mon) + 1, 2))"
            + "-\(padded(Int(parts.tm_mday), 2))"
    }

    /// "07:05".
    package static func time(unixSeconds: Int64) -> String {
        let parts = broken(unixSeconds)
        return "\(padded(Int(parts.tm_hour), 2)):\(padded(Int(parts.tm_min), 2))"
    }

    private static func broken(_ unixSeconds: Int64) -> tm {
        var seconds = time_t(unixSeconds)
        var parts = tm()
        unsafe localtime_r(&seconds, &parts)
        return parts
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

/// Ends the process.
package func endProcess(_ code: Int32) -> Never { exit(code) }
