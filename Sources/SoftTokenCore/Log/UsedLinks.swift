// The links that were used here, hashed: a link is used once per keystore before it expires, and
// stays used through removal, reset and erasure. Bound by DESIGN §7 and Keystore/FORMAT.md §11.
package import Activation
package import Keystore
internal import Linux

package enum UsedLinks {
    static let fileName = "used-links"
    static let besideName = fileName + PreparedFile.suffix
    private static let magic = Array("ST-USED1".utf8)
    private static let maximumByteCount = 1 << 20

    struct Entry: Equatable {
        let hash: [UInt8]
        let expiresUnixSeconds: Int64
        /// 0: gone.
        var tokenID: UInt64
    }

    /// Whether this link has been used with this keystore, or one before it.
    ///
    /// - Throws: `KeystoreError.system`, `.problem`, `.outOfMemory`: a read that failed makes no
    ///   link unused.
    package static func contains(
        _ link: VerifiedLink, _ folders: KeystoreFolders
    ) throws(KeystoreError) -> Bool {
        try contains(x: link.key.bytes, jti: link.jti, folders)
    }

    static func contains(
        x: [UInt8], jti: [UInt8], _ folders: KeystoreFolders
    ) throws(KeystoreError) -> Bool {
        guard let key = try LogKey.read(folders.state) else { return false }
        let file = try contents(of: fileName, folders)
        let macKey = try key.macKey(.usedLinks)
        let hash = macKey.mac(of: x, jti)
        return try entries(in: file, macKey)?.contains { $0.hash == hash } ?? false
    }

    /// The next version of the file, on the disk and not yet in place. It stays there when this value
    /// is dropped: after the keystore was saved, or may have been, its link must not become unused.
    struct Prepared: ~Copyable {
        private var file: PreparedFile
        /// Whether the file was whole; an altered one is begun anew, and so is one that is missing
        /// where links were used.
        let wasWhole: Bool

        fileprivate init(_ file: consuming PreparedFile, wasWhole: Bool) {
            self.file = file
            self.file.keep()
            self.wasWhole = wasWhole
        }

        mutating func replace(_ folders: KeystoreFolders) throws(SystemError) {
            try file.replace()
            try folders.state.sync()
        }
    }

    /// Prepares to remember a link; forgets those that have expired and whose token is gone.
    ///
    /// - Parameter tokens: the keystore's, the link's own among them or not.
    static func prepare(
        _ link: VerifiedLink, tokenID: UInt64, tokens: [TokenMetadata], folders: KeystoreFolders,
        unixSeconds: Int64
    ) throws(KeystoreError) -> Prepared {
        let key = try AuditLog.key(folders)
        let former = try contents(of: fileName, folders)
        // No signed token is kept whose link the file does not hold.
        let isMissing =
            former == nil && tokens.contains { $0.origin == .signed && $0.id != tokenID }
        let macKey = try key.macKey(.usedLinks)
        let known = try entries(in: former, macKey)
        var entries = (known ?? []).map { entry in
            var entry = entry
            if !tokens.contains(where: { $0.id == entry.tokenID }) { entry.tokenID = 0 }
            return entry
        }
        entries.removeAll { $0.expiresUnixSeconds <= unixSeconds && $0.tokenID == 0 }
        entries.append(
            Entry(
                hash: macKey.mac(of: link.key.bytes, link.jti),
                expiresUnixSeconds: link.expiresUnixSeconds, tokenID: tokenID))
        let file = try encoded(entries, macKey)
        return try translating(
            Prepared(
                try PreparedFile(fileName, in: folders.state, bytes: file.span),
                wasWhole: known != nil && !isMissing))
    }

    /// What the file holds: nothing yet where there is none, and no bytes, which are an altered
    /// file's, where it is too long to be one.
    static func contents(
        of name: String, _ folders: KeystoreFolders
    ) throws(KeystoreError) -> [UInt8]? {
        do throws(KeystoreError) {
            return try opening(try folders.state.contents(of: name, limit: maximumByteCount))
        } catch {
            guard case .problem(.tooLong) = error else { throw error }
            return []
        }
    }

    /// The entries of a file; nil if it is altered.
    static func entries(
        in file: [UInt8]?, _ key: borrowing MACKey
    ) throws(KeystoreError) -> [Entry]? {
        guard let file else { return [] }
        return try decoded(file, key)
    }

    static func encoded(
        _ entries: [Entry], _ key: borrowing MACKey
    ) throws(KeystoreError) -> [UInt8] {
        var file = ByteWriter()
        file.append(magic)
        file.append(UInt32(entries.count))
        for entry in entries.sorted(by: { $0.hash.lexicographicallyPrecedes($1.hash) }) {
            file.append(entry.hash)
            file.append(entry.expiresUnixSeconds)
            file.append(entry.tokenID)
        }
        return file.bytes + key.mac(of: Array("file".utf8), file.bytes)
    }

    static func decoded(
        _ file: [UInt8], _ key: borrowing MACKey
    ) throws(KeystoreError) -> [Entry]? {
        guard file.count >= 44, (file.count - 44).isMultiple(of: 48), file.starts(with: magic)
        else { return nil }
        let content = Array(file.dropLast(32))
        guard
            isEqualInConstantTime(
                key.mac(of: Array("file".utf8), content), Array(file.suffix(32)))
        else { return nil }
        var reader = ByteReader(content.dropFirst(magic.count))
        guard let count = reader.integer(UInt32.self), count == (file.count - 44) / 48 else {
            return nil
        }
        var entries: [Entry] = []
        while let hash = reader.bytes(32), let expires = reader.integer(Int64.self),
            let tokenID = reader.integer(UInt64.self)
        {
            entries.append(Entry(hash: hash, expiresUnixSeconds: expires, tokenID: tokenID))
        }
        for (left, right) in zip(entries, entries.dropFirst())
        where !left.hash.lexicographicallyPrecedes(right.hash) { return nil }
        return entries
    }
}
