// /etc/machine-id: 128 random bits that lie outside every home, so that a copied home lacks them.
// Bound by DESIGN §3 ("Machine binding") and machine-id(5).

extension SystemTree {
    /// The machine-id that outlasts this boot, 32 lower-case hexadecimal digits; none where it is
    /// absent, empty, `uninitialized`, malformed, or of this boot only.
    package var machineID: FileReading {
        let reading = contents("/etc/machine-id", 256)
        guard case .bytes(let text) = reading else { return reading }
        let transient = bytes("/run/machine-id").flatMap(machineIDDigits)
        guard let digits = machineIDDigits(of: text), digits != transient else { return .absent }
        return .bytes(digits)
    }
}

private func machineIDDigits(of text: [UInt8]) -> [UInt8]? {
    let line = text.last == UInt8(ascii: "\n") ? text.dropLast() : text[...]
    let digits = line.map(\.lowercased)
    guard digits.count == 32, digits.allSatisfy(TextAlphabet.hexadecimal.holds) else { return nil }
    return digits.contains { $0 != digits[0] } ? digits : nil
}
