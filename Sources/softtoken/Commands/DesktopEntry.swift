// The desktop entries, one that opens activation links and one that shows the one-time password, and
// the lines of mimeapps.list that name the first. Pure: text in, text out. Bound by the Desktop Entry Specification 1.4 and the Association between MIME
// types and applications 1.0.1 (freedesktop.org); CONTRACT §1 (`handler`).

/// What a desktop is told about this program.
struct DesktopEntry: Equatable {
    static let fileName = "softtoken-activate.desktop"
    static let showFileName = "softtoken-show.desktop"

    /// A kind of link, as desktops name it.
    enum Scheme: String, CaseIterable {
        case softtoken, otpauth

        var mimeType: String { "x-scheme-handler/\(rawValue)" }
    }

    /// The program's absolute path.
    let program: String
    let schemes: [Scheme]

    /// - Returns: nil for a path that a desktop can't start: Exec knows no control characters and no
    ///   equals sign in a program's name, and GLib looks for a percent sign's two.
    init?(program: String, schemes: [Scheme]) {
        let isStartable = program.unicodeScalars.allSatisfy {
            $0.value >= 0x20 && $0.value != 0x7F && $0 != "=" && $0 != "%"
        }
        guard program.hasPrefix("/"), isStartable else { return nil }
        self.program = program
        self.schemes = schemes
    }

    /// The file that opens links. No Terminal=true: a desktop's terminal would keep the link in its
    /// own arguments.
    var text: String {
        """
        [Desktop Entry]
        Type=Application
        Version=1.4
        Name=SoftToken
        Comment=Activate a soft token with its link
        Exec=\(quotedProgram) handler open %u
        Icon=dialog-password
        NoDisplay=true
        MimeType=\(schemes.map { $0.mimeType + ";" }.joined())

        """
    }

    /// The file that people see in their menus. Terminal=true: a PIN is typed at a terminal alone.
    var showText: String {
        """
        [Desktop Entry]
        Type=Application
        Version=1.4
        Name=Show one-time password
        GenericName=SoftToken
        Comment=Show the one-time password that signs a prescription
        Exec=\(quotedProgram) show --hold
        Icon=dialog-password
        Terminal=true
        Categories=System;Security;
        Keywords=OTP;token;prescription;SoftToken;

        """
    }

    /// The path as Exec wants it: quoted where it has to be, then escaped once more as every string
    /// of such a file is.
    private var quotedProgram: String {
        let plain = Set("/-_.+,:@".unicodeScalars)
        let isPlain = program.unicodeScalars.allSatisfy { scalar in
            scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || plain.contains(scalar)
        }
        guard !isPlain else { return program }
        var quoted = ""
        for character in program.unicodeScalars {
            switch character {
            // Backslashes twice: once for the quotation, once for the string.
            case "\\": quoted += #"\\\\"#
            case "\"", "`", "$": quoted += #"\\"# + String(character)
            default: quoted.unicodeScalars.append(character)
            }
        }
        return "\"\(quoted)\""
    }
}

/// A mimeapps.list without an application as what opens the types; nil if it wasn't named.
///
/// All else stays byte by byte. A line that named nothing else goes.
func mimeApplications(
    _ list: [UInt8], without application: String, for types: [String]
) -> [UInt8]? {
    var lines = list.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    var isChanged = false
    for index in lines.indices.reversed() {
        guard let end = lines[index].firstIndex(of: UInt8(ascii: "=")),
            types.contains(trimmed(lines[index][..<end]))
        else { continue }
        let hasCR = lines[index].last == UInt8(ascii: "\r")
        let value = lines[index][(end + 1)...].dropLast(hasCR ? 1 : 0)
        let names = value.split(separator: UInt8(ascii: ";"))
        let kept = names.filter { trimmed($0) != application }
        guard kept.count < names.count else { continue }
        isChanged = true
        guard !kept.isEmpty else {
            lines.remove(at: index)
            continue
        }
        let head = Array(lines[index][...end])
        let tail = hasCR ? [UInt8(ascii: "\r")] : []
        lines[index] = (head + kept.flatMap { $0 + [UInt8(ascii: ";")] } + tail)[...]
    }
    return isChanged ? Array(lines.joined(separator: [UInt8(ascii: "\n")])) : nil
}

/// Whether a list is as xdg-mime begins one, so that it was made for this program alone.
func namesNothing(_ list: [UInt8]) -> Bool {
    let lines = list.split { $0 == 0x0A || $0 == 0x0D }.map { trimmed($0) }.filter { !$0.isEmpty }
    return lines.isEmpty || lines == ["[Default Applications]"]
}

private func trimmed(_ bytes: ArraySlice<UInt8>) -> String {
    let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
    let start = bytes.firstIndex { !isSpace($0) } ?? bytes.endIndex
    let end = bytes.lastIndex { !isSpace($0) } ?? start
    return start == bytes.endIndex ? "" : String(decoding: bytes[start...end], as: UTF8.self)
}
