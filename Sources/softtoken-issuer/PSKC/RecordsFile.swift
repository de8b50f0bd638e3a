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
struct RecordsWriter: ~Copyable {
    private let lock: Descriptor
    private let old: Descriptor?
    private var file: BufferedFile
    private let outline: PSKCOutline
    private let path: String
    private let check: RecordsCheck
    private var added = Hasher()
    /// Hashes of the serials, eight bytes each, so that 100,000 of them stay small.
    private var serials: Set<Int>
    private(set) var count = 0

    /// Begins a new version of the file, with what is in it already.
    ///
    /// - Throws: `Failure`; 65 for a file that nothing can be added to.
    static func open(_ path: String) throws(Failure) -> RecordsWriter {
        let lock = try lockRecords(path)
        guard nameExists(path) else {
            var writer = try RecordsWriter(
                path, lock: lock, old: nil, outline: PSKCOutline(), serials: [])
            try writer.write(Array(recordsHead.utf8))
            return writer
        }
        let old = try Failure.catching(Failure.init(_:)) { () throws(FileProblem) in
            try openPrivateFile(path)
        }
        let (outline, serials) = try readSerials(old, path: path)
        try Failure.catching(Failure.init(_:)) { () throws(SystemError) in try old.rewind() }
        var writer = try RecordsWriter(
            path, lock: lock, old: old, outline: outline, serials: serials)
        try writer.copyOld(count: outline.insertionOffset)
        return writer
    }

    private init(
        _ path: String, lock: consuming Descriptor, old: consuming Descriptor?,
        outline: PSKCOutline, serials: Set<Int>
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
    }

    /// Whether a token of this serial is there already; from now on it is.
    mutating func isTaken(_ serial: String) -> Bool {
        !serials.insert(serial.hashValue).inserted
    }

    mutating func add(
        _ order: TokenOrder, issuer: String, seed: borrowing Seed
    ) throws(Failure) {
        let text = recordText(order, issuer: issuer, seed: seed, prefix: outline.prefix)
        guard outline.encoding.holds(text) else {
            throw Failure(encoding: outline.encoding, of: path)
        }
        try write(text)
        RecordsCheck.add(order.serial, order.account, to: &added)
        count += 1
    }

    /// Puts the new version in place, unless nothing was added.
    ///
    /// - Throws: `Failure`; 65 where what was written doesn't read back.
    mutating func place() throws(Failure) {
        guard count > 0 else { return }
        if old == nil { try write(Array(recordsTail.utf8)) } else { try copyOld(count: nil) }
        try Failure.catching(Failure.init(_:)) { () throws(SystemError) in try file.flush() }
        _ = try check.packages(count: outline.packageCount + count, path: path)
        guard check.addedHash == added.finalize() else { throw Failure(changing: path) }
        do throws(SystemError) { try file.place() } catch { throw Failure(error) }
    }

    private mutating func copyOld(count: Int?) throws(Failure) {
        do throws(SystemError) {
            switch old {
            case .some(let old): try file.copy(old, count: count)
            case nil: return
            }
        } catch { throw Failure(error) }
    }

    private mutating func write(_ bytes: [UInt8]) throws(Failure) {
        do throws(SystemError) { try file.write(bytes) } catch { throw Failure(error) }
    }
}

private func readSerials(
    _ file: borrowing Descriptor, path: String
) throws(Failure) -> (PSKCOutline, Set<Int>) {
    var serials: Set<Int> = []
    let outline: PSKCOutline
    do throws(PSKCError) {
        outline = try readPSKC(file) { package, _ in serials.insert(package.serial.hashValue) }
    } catch { throw Failure(error, path: path) }
    guard !outline.isSigned else {
        throw Failure(
            .rejected, "\(path) is signed by its vendor: nothing can be added to it",
            hint: "give another file to --records")
    }
    guard outline.encoding.holds([]) else {
        throw Failure(encoding: outline.encoding, of: path)
    }
    return (outline, serials)
}
