// The log key: outlives erasure, so that the audit log, the used links and the tombstone still show
// edits by anyone who can't read it. Bound by FORMAT.md §2, §3.
package import Linux

package struct LogKey: ~Copyable {
    static let fileName = "log-key"
    private static let magic = Array("ST-LKEY1".utf8)

    /// What a log subkey authenticates.
    package enum Purpose: UInt64, Sendable {
        case chain = 1
        case head = 2
        case usedLinks = 3
        case tombstone = 4
    }

    private let root: RootKey

    /// Reads the key; nil if it is missing or damaged.
    ///
    /// - Throws: `KeystoreError.system`, `.problem`, `.outOfMemory`: a read that failed, or was
    ///   refused, is no missing key.
    package static func read(_ state: borrowing Directory) throws(KeystoreError) -> LogKey? {
        do throws(KeystoreError) {
            let key = try readKeyFile(
                fileName, in: state, magic: magic, damaged: .damaged(.deviceKey))
            guard let key else { return nil }
            return LogKey(root: RootKey(key))
        } catch {
            guard case .damaged = error else { throw error }
            return nil
        }
    }

    /// Reads the key, or draws a new one: a missing or damaged one never stops a command.
    ///
    /// - Parameter beforeCreation: what has to be on the disk before the key of a new log is.
    /// - Throws: `KeystoreError.system`, `.problem`, `.outOfMemory`.
    package static func readOrCreate(
        _ state: borrowing Directory,
        beforeCreation: (borrowing LogKey) throws(KeystoreError) -> Void = { _ in }
    ) throws(KeystoreError) -> LogKey {
        var isDamaged = false
        do throws(KeystoreError) {
            let key = try readKeyFile(
                fileName, in: state, magic: magic, damaged: .damaged(.deviceKey))
            if let key { return LogKey(root: RootKey(key)) }
        } catch {
            // Only what is damaged is replaced: after a read that failed the key may be whole.
            guard case .damaged = error else { throw error }
            isDamaged = true
        }
        let key = try SecureBytes(randomCount: 32)
        let drawn = LogKey(root: RootKey(key))
        if !isDamaged { try beforeCreation(drawn) }
        try writeKeyFile(fileName, in: state, magic: magic, key: drawn.root.bytes)
        return drawn
    }

    package func macKey(_ purpose: Purpose) throws(KeystoreError) -> MACKey {
        MACKey(try root.subkey(purpose.rawValue, "stlogkey"))
    }

    /// Lends such a key for one use.
    package func withMACKey<R: ~Copyable>(
        _ purpose: Purpose, _ body: (borrowing MACKey) throws(KeystoreError) -> R
    ) throws(KeystoreError) -> R {
        try root.withMACKey(purpose.rawValue, "stlogkey", body)
    }
}
