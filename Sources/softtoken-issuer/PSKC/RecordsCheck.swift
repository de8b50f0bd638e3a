// What is written to a records file is parsed again before it takes the place of what was there: a
// change that doesn't read back is not made. Bound by RECORDS.md §3.

/// Reads a new version of a records file on its way to the disk.
final class RecordsCheck {
    private let reader = PSKCReader()
    private let first: Int
    private let serial: String?
    private var count = 0
    private var kept: [PSKCKeyPackage] = []
    private var added = Hasher()

    /// - Parameters:
    ///   - first: from which package on they are new.
    ///   - serial: whose packages are kept.
    init(first: Int = .max, serial: String? = nil) {
        self.first = first
        self.serial = serial
    }

    func take(_ bytes: [UInt8]) {
        reader.feed(bytes)
        drain()
    }

    private func drain() {
        reader.drain { package, _ in
            if count >= first { RecordsCheck.add(package.serial, package.account, to: &added) }
            count += 1
            if package.serial == serial { kept.append(package) }
        }
    }

    /// The packages of the serial, in a file that is whole and has so many packages.
    ///
    /// - Throws: `Failure` (65): what was written is not what was meant.
    func packages(count: Int, path: String) throws(Failure) -> [PSKCKeyPackage] {
        let outline = reader.finished()
        drain()
        guard case .success(let outline) = outline, outline.packageCount == count else {
            throw Failure(changing: path)
        }
        return kept
    }

    /// Whose records stand behind the first ones, in their order.
    var addedHash: Int { added.finalize() }

    static func add(_ serial: String, _ account: String?, to hasher: inout Hasher) {
        hasher.combine(serial)
        hasher.combine(account)
    }
}

extension XMLEncoding {
    /// Whether bytes of UTF-8 mean the same in it.
    func holds(_ bytes: [UInt8]) -> Bool {
        self == .utf8 || self == .ascii && bytes.allSatisfy { $0 < 0x80 }
    }

    /// What to do with such a file.
    var conversion: String {
        switch self {
        case .latin1, .windows1252, .utf16:
            "convert it: iconv -f \(rawValue) -t UTF-8, and write UTF-8 into its first line"
        case .utf8, .ascii, .other: "convert it to UTF-8, and write UTF-8 into its first line"
        }
    }
}
