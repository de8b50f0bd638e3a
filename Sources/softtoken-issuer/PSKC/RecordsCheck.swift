// What is written to a records file is parsed again before it takes the place of what was there: a
// change that doesn't read back is not made. Bound by RECORDS.md §3.
import SoftTokenCore

/// Reads a new version of a records file on its way to the disk.
final class RecordsCheck {
    private let path: String
    private let reader: PSKCReader
    private let first: Int
    private let serial: String?
    private var count = 0
    private var kept: [PSKCKeyPackage] = []
    private var added = Hasher()

    /// - Parameters:
    ///   - first: from which package on they are new.
    ///   - serial: whose packages are kept.
    init(_ path: String, first: Int = .max, serial: String? = nil) throws(Failure) {
        self.path = path
        self.first = first
        self.serial = serial
        reader = try PSKCReader(path)
    }

    /// Takes the next bytes of the file; none are its end.
    ///
    /// - Throws: `Failure` (65): what was written is not what was meant.
    func take(_ bytes: [UInt8]) throws(Failure) {
        let packages: [PSKCKeyPackage]
        do throws(Failure) { packages = try reader.feed(bytes) } catch {
            throw Failure(changing: path)
        }
        for package in packages {
            if count >= first { RecordsCheck.add(package.serial, package.account, to: &added) }
            count += 1
            if package.serial == serial { kept.append(package) }
        }
    }

    /// The packages of the serial, in a file that is whole and has so many packages.
    func packages(count: Int) throws(Failure) -> [PSKCKeyPackage] {
        try take([])
        guard self.count == count else { throw Failure(changing: path) }
        return kept
    }

    /// Whose records stand behind the first ones, in their order.
    var addedHash: Int { added.finalize() }

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
}
