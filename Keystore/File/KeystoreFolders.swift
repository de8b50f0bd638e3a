// The two folders and the lock. The lock is a file of its own, never renamed or unlinked; it is held
// from the delay check to the last write, and never at a prompt. Bound by DESIGN §1.8, §3.
package import Linux

/// The data folder and the state folder, both there and both private.
package final class KeystoreFolders: Sendable {
    /// The files of each folder, without the lock, which is never removed.
    static let dataNames = ["keystore", "attempts"]
    static let stateNames = [
        "attempts", "device-key", "device-share", "attestation", "used-links", "log", "log-head",
        "log-key", "request", "erased",
    ]

    package let data: Directory
    package let state: Directory
    /// This computer's chip, where a share may lie.
    package let chip: ChipDevice
    /// Called once when the lock has not been free for a second.
    let whenWaiting: @Sendable () -> Void

    private init(
        data: consuming Directory, state: consuming Directory, chip: ChipDevice,
        whenWaiting: @escaping @Sendable () -> Void
    ) {
        self.data = data
        self.state = state
        self.chip = chip
        self.whenWaiting = whenWaiting
    }

    /// Opens both folders.
    ///
    /// - Parameters:
    ///   - dataPath: an absolute path, `…/softtoken`; `statePath` likewise.
    ///   - chip: this computer's.
    ///   - whenWaiting: called once when a lock has not been free for a second.
    /// - Returns: nil if one of them is missing.
    /// - Throws: `KeystoreError.problem`, `.system`.
    package static func open(
        dataPath: String, statePath: String, chip: ChipDevice = .none,
        whenWaiting: @escaping @Sendable () -> Void = {}
    ) throws(KeystoreError) -> KeystoreFolders? {
        guard let data = try opening(try Directory.open(dataPath)),
            let state = try opening(try Directory.open(statePath))
        else { return nil }
        return KeystoreFolders(data: data, state: state, chip: chip, whenWaiting: whenWaiting)
    }

    /// Opens both folders and makes what is missing (0700).
    package static func openOrCreate(
        dataPath: String, statePath: String, chip: ChipDevice = .none,
        whenWaiting: @escaping @Sendable () -> Void = {}
    ) throws(KeystoreError) -> KeystoreFolders {
        let data = try opening(try Directory.openOrCreate(dataPath))
        let state = try opening(try Directory.openOrCreate(statePath))
        return KeystoreFolders(data: data, state: state, chip: chip, whenWaiting: whenWaiting)
    }

    /// Removes what a killed writer left beside the files. Call it under the lock.
    ///
    /// Not `used-links.new`: whether that link is used only the tokens can tell (FORMAT.md §11).
    func removeLeftovers() {
        for suffix in [PreparedFile.suffix, PreparedFile.reservedSuffix] {
            for name in KeystoreFolders.dataNames { removeLeftover(name + suffix, data) }
            for name in KeystoreFolders.stateNames where name != "used-links" {
                removeLeftover(name + suffix, state)
            }
        }
        try? state.removeUnlessPlain("used-links" + PreparedFile.suffix)
        try? state.remove("used-links" + PreparedFile.reservedSuffix)
    }

    private func removeLeftover(_ name: String, _ folder: borrowing Directory) {
        guard folder.contains(name) else { return }
        try? folder.remove(name)
    }

    /// Removes what stands in place of the files that a reset leaves, and is none of them.
    ///
    /// - Throws: `KeystoreError.problem` for a folder that is not empty, `.system`.
    package func clearForReset() throws(KeystoreError) {
        for name in ["log", "log-head", "log-key", "used-links"] {
            try translating(try state.removeUnlessPlain(name))
        }
    }
}

/// The bytes of a small file that counts only if it is authentic; nil also when it is too long to be.
func contents(
    of name: String, in folder: borrowing Directory, limit: Int
) throws(KeystoreError) -> [UInt8]? {
    do throws(FileProblem) { return try folder.contents(of: name, limit: limit) } catch {
        if case .tooLong = error { return nil }
        throw KeystoreError(error)
    }
}

/// The keystore's lock, held as long as this value lives.
package final class KeystoreLock: Sendable {
    private static let fileName = "lock"
    /// CONTRACT §2, code 75: how long a command waits for the others.
    package static let patienceSeconds = 60

    private let folder: Descriptor
    private let file: Descriptor

    private init(holding file: consuming Descriptor, in folder: consuming Descriptor) {
        self.file = file
        self.folder = folder
    }

    /// Waits for the lock, at most a minute, and clears away what a killed writer left.
    ///
    /// - Throws: `KeystoreError.busy`, `.problem`, `.system`.
    package static func take(
        _ folders: KeystoreFolders
    ) throws(KeystoreError) -> KeystoreLock {
        // The folder first: whoever moves the file away gives a lock of its own to nobody.
        let folder = try opening(try LockFile.open(folders.state))
        try acquire(folder, folders)
        let file = try opening(try LockFile.open(fileName, in: folders.state))
        try acquire(file, folders)
        let lock = KeystoreLock(holding: file, in: folder)
        try lock.confirm(folders)
        folders.removeLeftovers()
        return lock
    }

    /// Waits until no other process is at the files.
    ///
    /// - Returns: false where that can't be told, on a read-only disk above all.
    package static func othersHaveEnded(_ folders: KeystoreFolders) -> Bool {
        (try? take(folders)) != nil
    }

    private static func acquire(
        _ file: borrowing Descriptor, _ folders: KeystoreFolders
    ) throws(KeystoreError) {
        let isFree = try translating(
            try LockFile.acquire(
                file, patienceSeconds: patienceSeconds, whenWaiting: folders.whenWaiting))
        guard isFree else { throw .busy }
    }

    /// Does something under the lock.
    package static func held<R: ~Copyable>(
        _ folders: KeystoreFolders, _ body: () throws(KeystoreError) -> R
    ) throws(KeystoreError) -> R {
        let lock = try take(folders)
        defer { withExtendedLifetime(lock) {} }
        return try body()
    }

    /// Checks that the path still names the file that is locked: again just before each try.
    func confirm(_ folders: KeystoreFolders) throws(KeystoreError) {
        guard
            LockFile.isSame(
                file, path: "\(folders.state.path)/\(KeystoreLock.fileName)")
        else { throw .busy }
    }
}
