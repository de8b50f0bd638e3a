// How a document's characters are written. One in another encoding than UTF-8 is read where its bytes
// are ASCII, and never written to. Bound by RECORDS.md §3.
import SoftTokenCore

/// An encoding, as a document's first bytes or its declaration say.
enum XMLEncoding: String, Sendable {
    case utf8 = "UTF-8"
    case ascii = "US-ASCII"
    case latin1 = "ISO-8859-1"
    case windows1252 = "windows-1252"
    case utf16 = "UTF-16"
    case other = "another encoding than UTF-8"

    /// The encoding of a declaration; nil for none.
    init(declared name: String?) {
        self =
            switch name?.uppercased() {
            case nil, "UTF-8", "UTF8": .utf8
            case "US-ASCII", "ASCII": .ascii
            case "ISO-8859-1", "LATIN1", "ISO8859-1": .latin1
            case "WINDOWS-1252", "CP1252": .windows1252
            case "UTF-16", "UTF-16LE", "UTF-16BE": .utf16
            default: .other
            }
    }

    /// The encoding that a document's first bytes tell; nil for one that looks like ASCII.
    init?(beginning bytes: [UInt8]) {
        let marks: [[UInt8]] = [[0xFF, 0xFE], [0xFE, 0xFF], [0x3C, 0x00], [0x00, 0x3C]]
        guard marks.contains(where: { bytes.starts(with: $0) }) else { return nil }
        self = .utf16
    }

    /// Whether bytes of UTF-8 mean the same in it.
    func holds(_ bytes: [UInt8]) -> Bool {
        self == .utf8 || self == .ascii && bytes.allSatisfy { $0 < 0x80 }
    }

    /// What to do with such a file.
    fileprivate var conversion: String {
        switch self {
        case .latin1, .windows1252, .utf16:
            "convert it: iconv -f \(rawValue) -t UTF-8, and write UTF-8 into its first line"
        case .utf8, .ascii, .other: "convert it to UTF-8, and write UTF-8 into its first line"
        }
    }
}

extension Failure {
    /// Nothing is written to a file in another encoding than ours.
    init(encoding: XMLEncoding, of path: String) {
        self.init(
            .rejected, "\(path) is in \(encoding.rawValue): nothing can be written to it",
            hint: encoding.conversion)
    }

    /// A file can't be read in the encoding that it says it has.
    init(unreadable encoding: XMLEncoding, _ path: String) {
        self.init(
            .rejected, "\(path) is in \(encoding.rawValue), which is not read here",
            hint: encoding.conversion)
    }
}
