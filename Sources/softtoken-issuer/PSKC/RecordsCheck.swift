// What is written to a records file is parsed again before it takes the place of what was there: a
// change that doesn't read back is not made. Bound by RECORDS.md §3.

/// Reads a new version of a records file on its way to the disk.
final class RecordsCheck {
    private let reader = PSKCReader()
    private let packages: Packages

    private final class Packages {
        var count = 0
        let first: Int
        var kept: [PSKCKeyPackage] = []
        var added = Hasher()
        let serial: String?

        init(first: Int, serial: String?) {
            self.first = first
            self.serial = serial
        }

        func take(_ package: PSKCKeyPackage) {
            if count >= first { RecordsCheck.add(package.serial, package.account, to: &added) }
            count += 1
            if package.serial == serial { kept.append(package) }
        }
    }

    /// - Parameters:
    ///   - first: from which package on they are new.
    ///   - serial: whose packages are kept.
    init(first: Int = .max, serial: String? = nil) {
        packages = Packages(first: first, serial: serial)
    }

    func take(_ bytes: [UInt8]) {
        reader.feed(bytes)
        drain()
    }

    private func drain() { reader.drain { package, _ in packages.take(package) } }

    /// The packages of the serial, in a file that is whole and has so many packages.
    ///
    /// - Throws: `Failure` (65): what was written is not what was meant.
    func packages(count: Int, path: String) throws(Failure) -> [PSKCKeyPackage] {
        let outline = reader.finished()
        drain()
        guard case .success(let outline) = outline, outline.packageCount == count else {
            throw Failure(changing: path)
        }
        return packages.kept
    }

    /// Whose records stand behind the first ones, in their order.
    var addedHash: Int { packages.added.finalize() }

    static func add(_ serial: String, _ account: String?, to hasher: inout Hasher) {
        hasher.combine(serial)
        hasher.combine(account)
    }
}

extension Failure {
    /// A change of this file doesn't read back.
    init(changing path: String) {
        self.init(
            .rejected, "\(path) can't be changed: what was written doesn't read back as it should",
            hint: "the file is as it was; ask its vendor for plain RFC 6030")
    }

    /// Nothing is written to a file in another encoding than ours.
    init(encoding: XMLEncoding, of path: String) {
        self.init(
            .rejected, "\(path) is in \(encoding.name): nothing can be written to it",
            hint: encoding.conversion)
    }
}

extension XMLEncoding {
    /// Whether bytes of UTF-8 mean the same in it.
    func holds(_ bytes: [UInt8]) -> Bool {
        switch self {
        case .utf8: true
        case .ascii: bytes.allSatisfy { $0 < 0x80 }
        case .latin1, .windows1252, .utf16, .other: false
        }
    }

    var name: String {
        switch self {
        case .utf8: "UTF-8"
        case .ascii: "US-ASCII"
        case .latin1: "ISO-8859-1"
        case .windows1252: "windows-1252"
        case .utf16: "UTF-16"
        case .other: "another encoding than UTF-8"
        }
    }

    /// What to do with such a file.
    var conversion: String {
        switch self {
        case .latin1, .windows1252, .utf16:
            "convert it: iconv -f \(name) -t UTF-8, and write UTF-8 into its first line"
        case .utf8, .ascii, .other: "convert it to UTF-8, and write UTF-8 into its first line"
        }
    }
}
