// The verifier's records on disk: added to and updated under a lock, whole or not at all. Bound by
// RECORDS.md and STYLE 21.
import Keystore
import Linux
import SoftTokenCore

/// Opens a file of records: as private as a key, and under one name, because whoever came by another
/// would take another lock, and find another log beside a store.
func openRecords(_ path: String) throws(Failure) -> Descriptor {
    let file = try openPrivate(path)
    let names = try fromSystem(try file.attributes().nameCount)
    guard names == 1 else {
        throw Failure(
            .configuration,
            "\(path) has another name too (a hard link), and an OTP that is accepted under one "
                + "could be accepted under the other",
            hint: "remove the other name: find -samefile \(path)")
    }
    guard try !fromSystem(try file.isMountedAlone()) else {
        throw Failure(
            .configuration,
            "\(path) is mounted by itself, and an OTP that is accepted here could be accepted again "
                + "where it is mounted from",
            hint: "mount the folder that it lies in, not the file")
    }
    return file
}

/// Takes the lock of a records file.
///
/// - Throws: `Failure`: 75 after a minute.
func lockRecords(_ path: String) throws(Failure) -> Descriptor {
    guard let lock = try fromSystem(try lockNamedFile(path, patienceSeconds: 60)) else {
        throw .busy(path)
    }
    return lock
}

/// Reads a new version of a records file back before it takes the old one's place: a change that doesn't
/// read back is not made.
///
/// - Throws: `Failure`; 65 for one that isn't whole, or has another number of packages.
@discardableResult func checkChange(
    _ file: inout BufferedFile, count: Int, of path: String, _ body: (PSKCKeyPackage) -> Void
) throws(Failure) -> PSKCOutline {
    let outline: PSKCOutline
    do throws(Failure) {
        outline = try file.readBack { (file) throws(Failure) in
            try readKeys(file) { package, _ in body(package) }
        }
    } catch { throw error.exitCode == .rejected ? Failure(changing: path) : error }
    guard outline.packageCount == count else { throw Failure(changing: path) }
    return outline
}

/// Copies a records file with some of its bytes replaced, and reads the copy before it takes the
/// file's place.
///
/// - Parameter isMeant: whether the packages of `serial` are what they were to become.
/// - Throws: `Failure`; the file is then as it was.
func change(
    _ file: borrowing Descriptor, _ outline: PSKCOutline, _ edits: [RecordEdit],
    serial: String? = nil, isMeant: ([PSKCKeyPackage]) -> Bool = { _ in true }
) throws(Failure) {
    guard edits.allSatisfy({ outline.encoding.holds($0.bytes) }) else {
        throw Failure(encoding: outline.encoding, of: file.path)
    }
    var target = try BufferedFile(file.path)
    try target.copy(file, with: edits)
    var changed: [PSKCKeyPackage] = []
    try checkChange(&target, count: outline.packageCount, of: file.path) { package in
        if package.serial == serial { changed.append(package) }
    }
    guard isMeant(changed) else { throw Failure(changing: file.path) }
    try target.place()
}

/// New records on their way into a file, one by one.
///
/// Dropped without `place()`, it leaves the file as it was.
final class RecordsWriter: RecordsTarget {
    private let lock: Descriptor
    private let old: Descriptor?
    private var file: BufferedFile
    private let keyring: PSKCKeyring
    private let outline: PSKCOutline
    let path: String
    private var known: KnownTokens
    /// Hashes of whose records were added, in their order.
    private var added: [Int] = []

    /// Begins a new version of the file, with what is in it already.
    ///
    /// - Parameter secret: encrypts the seeds of a new file, and opens those of an old one.
    /// - Throws: `Failure`; 65 for a file that nothing can be added to.
    init(_ path: String, _ secret: RecordsSecret?) throws(Failure) {
        self.path = path
        lock = try lockRecords(path)
        old = isSystemPathPresent(path) ? try openRecords(path) : nil
        var (known, encrypted) = (KnownTokens(), PSKCKeyPackage?.none)
        switch old {
        case nil: outline = PSKCOutline(protection: try PSKCProtection.new(for: secret))
        case .some(let old):
            outline = try readKeys(old) { package, _ in
                _ = known.isTaken(package.serial)
                known.add(
                    package.serial, ofAccount: package.account,
                    until: package.policy.expiryUnixSeconds)
                if encrypted == nil, case .encrypted = try? package.value("Secret") {
                    encrypted = package
                }
            }
            try outline.requireAddable(path)
        }
        self.known = known
        keyring = try recordsKeyring(outline.protection, secret, path: path)
        guard !outline.protection.isEncrypted || outline.protection.isOurs else {
            throw .rejected(
                "\(path) is encrypted in another way than ours",
                hint: "give another file to --records")
        }
        // Shown by a seed that is there: what is added must open with what opens the others.
        if let encrypted {
            _ = try ofToken(encrypted.serial, try encrypted.seed(keyring))
        }
        file = try BufferedFile(path)
        if old == nil {
            try file.write(recordsHead + outline.protection.text(prefix: ""))
        } else {
            try copyOld(0..<outline.insertionOffset)
        }
    }

    func isTaken(_ serial: String) -> Bool { known.isTaken(serial) }

    func usableSerial(ofAccount account: String, at unixSeconds: Int64) -> String? {
        known.usableSerial(ofAccount: account, at: unixSeconds)
    }

    func add(_ record: TokenMetadata, seed: borrowing Seed) throws(Failure) {
        let text = recordText(
            record, try ofToken(record.serial, try keyring.written(seed)), prefix: outline.prefix)
        guard outline.encoding.holds(text) else {
            throw Failure(encoding: outline.encoding, of: path)
        }
        try file.write(text)
        added.append([record.serial, record.account].hashValue)
        known.add(record.serial, ofAccount: record.account, until: record.expiryUnixSeconds)
    }

    func place() throws(Failure) {
        guard !added.isEmpty else { return }
        if old == nil {
            try file.write(recordsTail)
        } else {
            try copyOld(outline.insertionOffset..<Int.max)
        }
        var found: [Int] = []
        try checkChange(&file, count: outline.packageCount + added.count, of: path) { package in
            found.append([package.serial, package.account].hashValue)
        }
        guard found.suffix(added.count) == added[...] else { throw Failure(changing: path) }
        try file.place()
    }

    private func copyOld(_ range: Range<Int>) throws(Failure) {
        switch old {
        case .some(let old): try file.copy(old, range)
        case nil: return
        }
    }
}

extension PSKCOutline {
    /// Whether new records can be written behind those that are there.
    fileprivate func requireAddable(_ path: String) throws(Failure) {
        guard !isSigned else {
            throw .rejected(
                "\(path) is signed by its vendor: nothing can be added to it",
                hint: "give another file to --records")
        }
        guard encoding.holds([]) else { throw Failure(encoding: encoding, of: path) }
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
