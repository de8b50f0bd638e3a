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
    private let prefix: String
    /// Hashes of the serials, eight bytes each, so that 100,000 of them stay small.
    private var serials: Set<Int>
    private(set) var count = 0

    /// Begins a new version of the file, with what is in it already.
    ///
    /// - Throws: `Failure`; 65 for a file that nothing can be added to.
    static func open(_ path: String) throws(Failure) -> RecordsWriter {
        let lock = try lockRecords(path)
        guard nameExists(path) else {
            var writer = RecordsWriter(
                lock: lock, old: nil, file: try newFile(path), prefix: "", serials: [])
            try writer.write(Array(recordsHead.utf8))
            return writer
        }
        let old = try Failure.catching(Failure.init(_:)) { () throws(FileProblem) in
            try openPrivateFile(path)
        }
        let (outline, serials) = try readSerials(old, path: path)
        var file = try newFile(path)
        try Failure.catching(Failure.init(_:)) { () throws(SystemError) in
            try old.rewind()
            try file.copy(old, count: outline.insertionOffset)
        }
        return RecordsWriter(
            lock: lock, old: old, file: file, prefix: outline.prefix, serials: serials)
    }

    private init(
        lock: consuming Descriptor, old: consuming Descriptor?, file: consuming BufferedFile,
        prefix: String, serials: Set<Int>
    ) {
        self.lock = lock
        self.old = old
        self.file = file
        self.prefix = prefix
        self.serials = serials
    }

    /// Whether a token of this serial is there already; from now on it is.
    mutating func isTaken(_ serial: String) -> Bool {
        !serials.insert(serial.hashValue).inserted
    }

    mutating func add(
        _ order: TokenOrder, issuer: String, seed: borrowing Seed
    ) throws(Failure) {
        try write(recordText(order, issuer: issuer, seed: seed, prefix: prefix))
        count += 1
    }

    /// Puts the new version in place, unless nothing was added.
    mutating func place() throws(Failure) {
        guard count > 0 else { return }
        do throws(SystemError) {
            switch old {
            case .some(let old): try file.copy(old, count: nil)
            case nil: try file.write(recordsTail)
            }
            try file.place()
        } catch { throw Failure(error) }
    }

    private mutating func write(_ bytes: [UInt8]) throws(Failure) {
        do throws(SystemError) { try file.write(bytes) } catch { throw Failure(error) }
    }
}

private func newFile(_ path: String) throws(Failure) -> BufferedFile {
    do throws(SystemError) { return try BufferedFile(path) } catch { throw Failure(error) }
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
    return (outline, serials)
}
