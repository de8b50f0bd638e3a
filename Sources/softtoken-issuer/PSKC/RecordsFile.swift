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
    let check = try RecordsCheck(file.path, serial: serial)
    var target = try BufferedFile(file.path) { (bytes) throws(Failure) in try check.take(bytes) }
    try target.copy(file, with: edits)
    try target.flush()
    guard isMeant(try check.packages(count: outline.packageCount)) else {
        throw Failure(changing: file.path)
    }
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
    private let check: RecordsCheck
    private var added = Hasher()
    /// Hashes of the serials, eight bytes each, so that 100,000 of them stay small.
    private var serials: Set<Int>
    /// By the hash of the account: the token of it that can be verified longest.
    private let accounts: [Int: (serial: String, endUnixSeconds: Int64)]
    private(set) var count = 0

    /// Begins a new version of the file, with what is in it already.
    ///
    /// - Parameter secret: encrypts the seeds of a new file, and opens those of an old one.
    /// - Throws: `Failure`; 65 for a file that nothing can be added to.
    init(_ path: String, _ secret: RecordsSecret?) throws(Failure) {
        self.path = path
        lock = try lockRecords(path)
        old = isSystemPathPresent(path) ? try openRecords(path) : nil
        var found = FoundRecords()
        switch old {
        case nil: outline = PSKCOutline(protection: try newProtection(secret))
        case .some(let old):
            outline = try readKeys(old) { package, _ in found.add(package) }
            try outline.requireAddable(path)
            try fromSystem(try old.rewind())
        }
        keyring = try recordsKeyring(outline.protection, secret, path: path)
        guard !outline.protection.isEncrypted || outline.protection.isOurs else {
            throw .rejected(
                "\(path) is encrypted in another way than ours",
                hint: "give another file to --records")
        }
        // Shown by a seed that is there: what is added must open with what opens the others.
        if let encrypted = found.encrypted {
            _ = try ofToken(encrypted.serial, try encrypted.seed(keyring))
        }
        (serials, accounts) = (found.serials, found.accounts)
        let check = try RecordsCheck(path, first: outline.packageCount)
        file = try BufferedFile(path) { (bytes) throws(Failure) in try check.take(bytes) }
        self.check = check
        if old == nil {
            try file.write(recordsHead + outline.protection.text(prefix: ""))
        } else {
            try copyOld(count: outline.insertionOffset)
        }
    }

    func isTaken(_ serial: String) -> Bool { !serials.insert(serial.hashValue).inserted }

    func usableSerial(
        ofAccount account: String, at unixSeconds: Int64
    ) throws(Failure) -> String? {
        guard let found = accounts[account.hashValue], unixSeconds < found.endUnixSeconds else {
            return nil
        }
        return found.serial
    }

    func add(_ record: TokenMetadata, seed: borrowing Seed) throws(Failure) {
        let text = recordText(
            record, try ofToken(record.serial, try keyring.written(seed)), prefix: outline.prefix)
        guard outline.encoding.holds(text) else {
            throw Failure(encoding: outline.encoding, of: path)
        }
        try file.write(text)
        RecordsCheck.add(record.serial, record.account, to: &added)
        count += 1
    }

    func place() throws(Failure) {
        guard count > 0 else { return }
        if old == nil { try file.write(recordsTail) } else { try copyOld() }
        try file.flush()
        _ = try check.packages(count: outline.packageCount + count)
        guard check.addedHash == added.finalize() else { throw Failure(changing: path) }
        try file.place()
    }

    private func copyOld(count: Int? = nil) throws(Failure) {
        switch old {
        case .some(let old): try file.copy(old, count: count)
        case nil: return
        }
    }
}

/// What is in a file already.
private struct FoundRecords {
    private(set) var serials: Set<Int> = []
    private(set) var accounts: [Int: (serial: String, endUnixSeconds: Int64)] = [:]
    /// One whose seed is encrypted.
    private(set) var encrypted: PSKCKeyPackage?

    mutating func add(_ package: PSKCKeyPackage) {
        serials.insert(package.serial.hashValue)
        if let account = package.account?.hashValue {
            let end = package.policy.expiryUnixSeconds ?? .max
            if end > accounts[account]?.endUnixSeconds ?? revokedUnixSeconds {
                accounts[account] = (package.serial, end)
            }
        }
        if encrypted == nil, case .encrypted = package.value("Secret") { encrypted = package }
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
