// The two copies on disk: read, counted, taken back, reset. An attempt is on disk before the PIN is
// tried; killing the process never buys one. Bound by DESIGN §4 ("To count") and FORMAT.md §7.
internal import Linux

/// The two folders' attempt records with the key that authenticates them.
struct AttemptFiles: ~Copyable {
    private let key: MACKey
    private let deviceName: [UInt8]

    init(_ deviceKey: borrowing DeviceKey) throws(KeystoreError) {
        key = try deviceKey.macKey(.attempts)
        deviceName = deviceKey.deviceName
    }

    /// What both copies say beside a log's head; nil where both are lost.
    func standing(
        in folders: KeystoreFolders, vouched: Vouched?
    ) throws(KeystoreError) -> AttemptStanding? {
        AttemptStanding(
            state: try read(folders.state), data: try read(folders.data), vouched: vouched,
            of: deviceName)
    }

    /// Reads one folder's copy.
    func read(_ folder: borrowing Directory) throws(KeystoreError) -> AttemptCopy {
        let file: [UInt8]?
        do throws(FileProblem) {
            file = try folder.contents(of: AttemptRecord.fileName, limit: 4096)
        } catch {
            if case .tooLong = error { return .altered }
            throw KeystoreError(error)
        }
        guard let file else { return .missing }
        guard let record = AttemptRecord(file, deviceName: deviceName, key: key) else {
            return .altered
        }
        return .whole(record)
    }

    func bytes(_ record: AttemptRecord) -> [UInt8] {
        record.encoded(deviceName: deviceName, key: key)
    }

    /// Puts `record` in both places, in the order of FORMAT.md §7.
    ///
    /// - Parameter undo: called where it fails once the state copy was replaced.
    /// - Throws: `KeystoreError.system`.
    func write(
        _ record: AttemptRecord, in folders: KeystoreFolders, undo: () -> Void = {}
    ) throws(KeystoreError) {
        let bytes = bytes(record)
        do throws(SystemError) {
            var state = try PreparedFile(
                AttemptRecord.fileName, in: folders.state, bytes: bytes.span)
            var data = try PreparedFile(AttemptRecord.fileName, in: folders.data, bytes: bytes.span)
            try state.replace()
            do throws(SystemError) {
                try folders.state.sync()
                try data.replace()
                try folders.data.sync()
            } catch {
                undo()
                throw error
            }
        } catch { throw .system(error) }
    }

    /// Reserves the space for a reset, before the attempt that it may follow: so that a full disk
    /// can't keep a right PIN from resetting the count. What is reserved is no record: it is zeros.
    func reserve(in folders: KeystoreFolders) throws(KeystoreError) -> ReservedReset {
        let zeros = [UInt8](repeating: 0, count: 112)
        do throws(SystemError) {
            return ReservedReset(
                state: try PreparedFile(
                    AttemptRecord.fileName, in: folders.state, reserving: zeros.span),
                data: try PreparedFile(
                    AttemptRecord.fileName, in: folders.data, reserving: zeros.span))
        } catch { throw .system(error) }
    }
}

/// Space for both copies, to be filled after a right PIN, or where the count could not be written
/// whole; dropped, it leaves nothing behind.
struct ReservedReset: ~Copyable {
    private var state: PreparedFile
    private var data: PreparedFile

    init(state: consuming PreparedFile, data: consuming PreparedFile) {
        self.state = state
        self.data = data
    }

    /// Puts the reset record in both places; its folders need no fsync (DESIGN §4).
    mutating func fill(_ bytes: [UInt8]) throws(SystemError) {
        try state.rewrite(bytes.span)
        try data.rewrite(bytes.span)
        try state.replace()
        try data.replace()
    }

    /// Puts the old count back into the state copy. A disk whose fsync fails from now on may still
    /// take the bytes: they are put in place whether or not it says that it has them.
    mutating func takeBack(_ bytes: [UInt8], in folders: KeystoreFolders) {
        try? state.rewrite(bytes.span)
        try? state.replace()
        try? folders.state.sync()
    }
}
