// The verifier's records on disk: added to and updated under a lock, whole or not at all. Bound by
// RECORDS.md and STYLE 21.
import Keystore
import Linux

/// CONTRACT §2: 75 after a minute.
private let patienceSeconds = 60

/// Takes the lock of a records file.
///
/// - Throws: `Failure` (75).
func lockRecords(_ path: String) throws(Failure) -> Descriptor {
    let lock = try Failure.catching(Failure.init(_:)) { () throws(SystemError) in
        try lockNamedFile(path, patienceSeconds: patienceSeconds)
    }
    guard let lock else {
        throw Failure(.tryLater, "\(path) is in use by another command", hint: "try again later")
    }
    return lock
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
    private let path: String
    private let check: RecordsCheck
    private var added = Hasher()
    /// Hashes of the serials, eight bytes each, so that 100,000 of them stay small.
    private var serials: Set<Int>
    private(set) var count = 0
    private var cipher: String? { keyring.protection.cipherName }

    /// Begins a new version of the file, with what is in it already.
    ///
    /// - Parameter secret: encrypts the seeds of a new file, and opens those of an old one.
    /// - Throws: `Failure`; 65 for a file that nothing can be added to.
    convenience init(_ path: String, _ secret: RecordsSecret?) throws(Failure) {
        let lock = try lockRecords(path)
        guard nameExists(path) else {
            let protection = try newProtection(secret)
            try self.init(
                path, lock: lock, old: nil, outline: PSKCOutline(), serials: [],
                keyring: try recordsKeyring(protection, secret, path: path))
            try write(Array((recordsHead + protection.text(prefix: "")).utf8))
            return
        }
        let old = try openRecords(path)
        let found = try readSerials(old, path: path)
        let keyring = try found.keyring(secret, path: path)
        try Failure.catching(Failure.init(_:)) { () throws(SystemError) in try old.rewind() }
        try self.init(
            path, lock: lock, old: old, outline: found.outline, serials: found.serials,
            keyring: keyring)
        try copyOld(count: found.outline.insertionOffset)
    }

    private init(
        _ path: String, lock: consuming Descriptor, old: consuming Descriptor?,
        outline: PSKCOutline, serials: Set<Int>, keyring: consuming PSKCKeyring
    ) throws(Failure) {
        let check = RecordsCheck(first: outline.packageCount)
        do throws(SystemError) {
            file = try BufferedFile(path) { check.take($0) }
        } catch { throw Failure(error) }
        self.check = check
        self.lock = lock
        self.old = old
        self.path = path
        self.outline = outline
        self.serials = serials
        self.keyring = keyring
    }

    /// Whether a token of this serial is there already; from now on it is.
    func isTaken(_ serial: String) -> Bool { !serials.insert(serial.hashValue).inserted }

    func add(_ record: TokenMetadata, seed: borrowing Seed) throws(Failure) {
        let written: WrittenSeed
        do throws(KeyProblem) { written = try keyring.written(seed) } catch {
            throw Failure(error, serial: record.serial)
        }
        let text = recordText(record, written, cipher: cipher, prefix: outline.prefix)
        guard outline.encoding.holds(text) else {
            throw Failure(encoding: outline.encoding, of: path)
        }
        try write(text)
        RecordsCheck.add(record.serial, record.account, to: &added)
        count += 1
    }

    /// Puts the new version in place, unless nothing was added.
    ///
    /// - Throws: `Failure`; 65 where what was written doesn't read back.
    func place() throws(Failure) {
        guard count > 0 else { return }
        if old == nil { try write(Array(recordsTail.utf8)) } else { try copyOld(count: nil) }
        try Failure.catching(Failure.init(_:)) { () throws(SystemError) in try file.flush() }
        _ = try check.packages(count: outline.packageCount + count, path: path)
        guard check.addedHash == added.finalize() else { throw Failure(changing: path) }
        do throws(SystemError) { try file.place() } catch { throw Failure(error) }
    }

    private func copyOld(count: Int?) throws(Failure) {
        do throws(SystemError) {
            switch old {
            case .some(let old): try file.copy(old, count: count)
            case nil: return
            }
        } catch { throw Failure(error) }
    }

    private func write(_ bytes: [UInt8]) throws(Failure) {
        do throws(SystemError) { try file.write(bytes) } catch { throw Failure(error) }
    }
}

/// How a new file is encrypted.
///
/// - Throws: `Failure` (64).
func newProtection(_ secret: RecordsSecret?) throws(Failure) -> PSKCProtection {
    guard let secret else { return PSKCProtection() }
    do throws(KeyProblem) { return try PSKCProtection.new(for: secret.bytes) } catch {
        throw Failure(
            .usage, "the key of the records can't be used",
            hint: "32, 48 or 64 hexadecimal digits, or a passphrase of 8 bytes or more")
    }
}

/// What is in a file already.
private struct FoundRecords {
    let outline: PSKCOutline
    let serials: Set<Int>
    /// One whose seed is encrypted.
    let encrypted: PSKCKeyPackage?

    /// What writes the seeds of new records.
    ///
    /// - Throws: `Failure`: 64, or 65 for a wrong key and for a form that we don't write.
    func keyring(_ secret: RecordsSecret?, path: String) throws(Failure) -> PSKCKeyring {
        let keyring = try recordsKeyring(outline.protection, secret, path: path)
        guard outline.protection.isEncrypted else { return keyring }
        guard outline.protection.isOurs else {
            throw Failure(
                .rejected, "\(path) is encrypted in another way than ours",
                hint: "give another file to --records")
        }
        if let encrypted {
            do throws(KeyProblem) { _ = try encrypted.seed(keyring) } catch {
                throw Failure(error, serial: encrypted.serial)
            }
        }
        return keyring
    }
}

private func readSerials(
    _ file: borrowing Descriptor, path: String
) throws(Failure) -> FoundRecords {
    var serials: Set<Int> = []
    var encrypted: PSKCKeyPackage?
    let outline: PSKCOutline
    do throws(PSKCError) {
        outline = try readPSKC(file) { package, _ in
            serials.insert(package.serial.hashValue)
            if encrypted == nil, case .encrypted = package.value("Secret") { encrypted = package }
        }
    } catch { throw Failure(error, path: path) }
    guard !outline.isSigned else {
        throw Failure(
            .rejected, "\(path) is signed by its vendor: nothing can be added to it",
            hint: "give another file to --records")
    }
    guard outline.encoding.holds([]) else {
        throw Failure(encoding: outline.encoding, of: path)
    }
    return FoundRecords(outline: outline, serials: serials, encrypted: encrypted)
}
