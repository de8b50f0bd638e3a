// /etc/machine-id: 128 random bits that lie outside every home, so that a copied home lacks them.
// Bound by DESIGN §3 ("Machine binding") and machine-id(5).

/// The machine-id, or why there is none.
package enum MachineID: Equatable, Sendable {
    /// 32 lower-case hexadecimal digits.
    case digits([UInt8])
    /// Absent, empty, `uninitialized`, malformed, or of this boot only.
    case none
    /// It is there and can't be read.
    case unreadable

    /// Reads a machine's.
    package init(tree: SystemTree) {
        switch tree.contents("/etc/machine-id", 256) {
        case .bytes(let text):
            self = MachineID(text: text, transient: tree.bytes("/run/machine-id"))
        case .absent: self = .none
        case .unreadable: self = .unreadable
        }
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
        guard line.count == 32, TextAlphabet.hexadecimal.bytes(line) != nil else { return nil }
        let digits = line.map(\.lowercased)
        return digits.contains { $0 != digits[0] } ? digits : nil
    }
}
