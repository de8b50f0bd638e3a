// /etc/machine-id: 128 random bits that lie outside every home, so that a copied home lacks them.
// Bound by DESIGN §3 ("Machine binding") and machine-id(5).

/// The machine-id, or why there is none.
package enum MachineID: Equatable, Sendable {
    /// 32 lower-case hexadecimal digits.
    case digits([UInt8])
    /// Absent, empty, `uninitialized`, malformed, or of this boot only.
    case none
    /// It is there and can't be read.
    case unreadable(SystemError)

    /// Reads this machine's.
    package static func read() -> MachineID {
        let text: [UInt8]
        do throws(SystemError) {
            text = try readSystemFile("/etc/machine-id", limit: 4096)
        } catch {
            return error.isNotFound ? .none : .unreadable(error)
        }
        let transient = try? readSystemFile("/run/machine-id", limit: 4096)
        return MachineID(text: text, transient: transient)
    }

    /// Judges the bytes of /etc/machine-id and, where it exists, of /run/machine-id.
    package init(text: [UInt8], transient: [UInt8]?) {
        guard let digits = MachineID.digits(of: text) else {
            self = .none
            return
        }
        if let transient, MachineID.digits(of: transient) == digits {
            self = .none
            return
        }
        self = .digits(digits)
    }

    private static func digits(of text: [UInt8]) -> [UInt8]? {
        var line = text
        if line.last == UInt8(ascii: "\n") { line.removeLast() }
        guard line.count == 32, bytesFromHexadecimal(line) != nil else { return nil }
        let lowerCase = line.map {
            $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "F") ? $0 + 32 : $0
        }
        return lowerCase.contains { $0 != lowerCase[0] } ? lowerCase : nil
    }
}
