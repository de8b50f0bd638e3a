// The wall clock's time of day, for people. The zone's file is read once, before Landlock takes it
// away (DESIGN §8): call `prepare` at start.
internal import Glibc

/// A time of day in the device's zone.
public struct LocalTime: Equatable, Sendable {
    /// "2026-11-23".
    public let date: String
    /// "14:03:30".
    public let withSeconds: String

    /// Reads TZ and /etc/localtime; later readings need no file. A TZ that names anything but a
    /// plain file with content (a named pipe, a device, a file of /proc) could wait for ever to be
    /// read: it is UTC.
    package static func prepare() { _ = zone }

    private static let zone: Void = {
        if let file = namedFile, !isReadable(file) { unsafe setenv("TZ", "UTC0", 1) }
        tzset()
    }()

    /// The file that TZ would have glibc open first (tzset(3)).
    private static var namedFile: String? {
        guard let value = unsafe getenv("TZ") else { return nil }
        var name = unsafe String(cString: value)
        if name.hasPrefix(":") { name.removeFirst() }
        guard !name.isEmpty, !name.hasPrefix("/") else { return name.isEmpty ? nil : name }
        let folder = unsafe getenv("TZDIR").map { unsafe String(cString: $0) }
        return "\(folder ?? "/usr/share/zoneinfo")/\(name)"
    }

    /// Whether a file can be read without waiting, or isn't there: then TZ is no file's name.
    private static func isReadable(_ path: String) -> Bool {
        var info = stat()
        guard unsafe stat(path, &info) == 0 else { return true }
        return FileAttributes(info).isRegularFile && info.st_size > 0
    }

    /// The time of day at a moment, seconds since 1970.
    public init(atUnixSeconds seconds: Int64) {
        LocalTime.prepare()
        var moment = time_t(seconds)
        var parts = unsafe tm()
        _ = unsafe localtime_r(&moment, &parts)
        date = unsafe texts([1900 + parts.tm_year, parts.tm_mon + 1, parts.tm_mday], "-")
        withSeconds = unsafe texts([parts.tm_hour, parts.tm_min, parts.tm_sec], ":")
    }

    /// "14:03".
    public var hoursAndMinutes: String { String(withSeconds.dropLast(3)) }
    /// "14:03", or "2026-11-24 14:03" on another day than `now`'s.
    public func hoursAndMinutes(seenAtUnixSeconds now: Int64) -> String {
        let isToday = date == LocalTime(atUnixSeconds: now).date
        return isToday ? hoursAndMinutes : "\(date) \(hoursAndMinutes)"
    }
}

/// Numbers of two digits at least.
private func texts(_ numbers: [Int32], _ mark: String) -> String {
    numbers.map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: mark)
}
