// The links that were used here, hashed: a link is used once per keystore before it expires, and
// stays used through removal, reset and erasure. Bound by DESIGN §7 and Keystore/FORMAT.md §11.
package import Activation
package import Keystore
internal import Linux

package enum UsedLinks {
    static let fileName = "used-links"
    static let besideName = fileName + PreparedFile.suffix
    private static let magic = Array("ST-USED2".utf8)
    /// Of a file that an earlier version wrote: without generation and since.
    private static let firstMagic = Array("ST-USED1".utf8)
    private static let maximumByteCount = 1 << 20

    struct Entry: Equatable {
        let hash: [UInt8]
        let expiresUnixSeconds: Int64
        /// 0: gone.
        var tokenID: UInt64
    }

    /// What a file holds.
    struct Content: Equatable {
        var generation: UInt64 = 0
        /// Links issued until then may have been used without being among the entries, Unix seconds.
        var sinceUnixSeconds = Int64.min
        var entries: [Entry] = []
    }

    /// Whether this link has been used with this keystore, or one before it; or may have been, where
    /// the file was altered, taken away or put back.
    ///
    /// - Throws: `KeystoreError.system`, `.problem`, `.outOfMemory`: a read that failed makes no
    ///   link unused.
    package static func contains(
        _ link: VerifiedLink, _ folders: KeystoreFolders
    ) throws(KeystoreError) -> Bool {
        try contains(
            x: link.key.bytes, jti: link.jti, issuedAtUnixSeconds: link.issuedAtUnixSeconds,
            folders)
    }

    static func contains(
        x: [UInt8], jti: [UInt8], issuedAtUnixSeconds: Int64, _ folders: KeystoreFolders
    ) throws(KeystoreError) -> Bool {
        guard let key = try LogKey.read(folders.state) else { return false }
        let head = try AuditLog.head(folders, key: key)
        let file = try contents(of: fileName, folders)
        return try key.withMACKey(.usedLinks) { key in
            let content = known(head, file, key).content
            let hash = key.mac(of: x, jti)
            return issuedAtUnixSeconds <= content.sinceUnixSeconds
                || content.entries.contains { $0.hash == hash }
        }
    }

    /// The file, and whether it is whole and not older than the log's head says. Where it is not,
    /// what was issued until the latest time that the head vouches for counts as used.
    private static func known(
        _ head: AuditHead?, _ file: [UInt8]?, _ key: borrowing MACKey
    ) -> (content: Content, isWhole: Bool) {
        let found = decoded(file, key)
        let vouched = head?.vouched.usedLinks ?? 0
        var content = found ?? Content()
        guard content.generation < vouched else { return (content, found != nil) }
        content.generation = vouched
        content.sinceUnixSeconds = max(
            content.sinceUnixSeconds, head?.baselineUnixSeconds ?? Int64.min)
        return (content, false)
    }

    /// The generation of the file, for the head to vouch for; 0 where there is none that is whole.
    static func generation(_ folders: KeystoreFolders) throws(KeystoreError) -> UInt64 {
        guard folders.state.contains(fileName), let key = try LogKey.read(folders.state) else {
            return 0
        }
        let file = try readable(fileName, folders)
        return try key.withMACKey(.usedLinks) { decoded(file, $0)?.generation ?? 0 }
    }

    /// The next version of the file, on the disk and not yet in place. It stays there when this value
    /// is dropped: after the keystore was saved, or may have been, its link must not become unused.
    struct Prepared: ~Copyable {
        private var file: PreparedFile
        /// Whether the file was whole; an altered one is begun anew, and so is one that is missing
        /// where links were used.
        let wasWhole: Bool
        let generation: UInt64

        fileprivate init(_ file: consuming PreparedFile, wasWhole: Bool, generation: UInt64) {
            self.file = file
            self.generation = generation
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
        // No signed token is kept whose link the file does not hold.
        let isMissing =
            !folders.state.contains(fileName)
            && tokens.contains { $0.origin == .signed && $0.id != tokenID }
        let macKey = try key.macKey(.usedLinks)
        var (content, isWhole) = known(
            try AuditLog.head(folders, key: key), try contents(of: fileName, folders), macKey)
        content.generation += 1
        content.entries = content.entries.map { entry in
            var entry = entry
            if !tokens.contains(where: { $0.id == entry.tokenID }) { entry.tokenID = 0 }
            return entry
        }
        content.entries.removeAll { $0.expiresUnixSeconds <= unixSeconds && $0.tokenID == 0 }
        content.entries.append(
            Entry(
                hash: macKey.mac(of: link.key.bytes, link.jti),
                expiresUnixSeconds: link.expiresUnixSeconds, tokenID: tokenID))
        let file = encoded(content, macKey)
        return try translating(
            Prepared(
                try PreparedFile(fileName, in: folders.state, bytes: file.span),
                wasWhole: isWhole && !isMissing, generation: content.generation))
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

    static func encoded(_ content: Content, _ key: borrowing MACKey) -> [UInt8] {
        var file = ByteWriter()
        file.append(magic)
        file.append(content.generation)
        file.append(content.sinceUnixSeconds)
        file.append(UInt32(content.entries.count))
        for entry in content.entries.sorted(by: { $0.hash.lexicographicallyPrecedes($1.hash) }) {
            file.append(entry.hash)
            file.append(entry.expiresUnixSeconds)
            file.append(entry.tokenID)
        }
        return file.bytes + key.mac(of: Array("file".utf8), file.bytes)
    }

    /// What a file holds: nothing where there is none; nil if it is altered.
    static func decoded(_ file: [UInt8]?, _ key: borrowing MACKey) -> Content? {
        guard let file else { return Content() }
        let bytes = Array(file.dropLast(32))
        guard file.count > 32,
            isEqualInConstantTime(key.mac(of: Array("file".utf8), bytes), Array(file.suffix(32)))
        else { return nil }
        var reader = ByteReader(bytes)
        var content = Content()
        switch reader.bytes(8) {
        case firstMagic: break
        case magic:
            guard let generation = reader.integer(UInt64.self), generation <= 1 << 63,
                let since = reader.integer(Int64.self)
            else { return nil }
            content.generation = generation
            content.sinceUnixSeconds = since
        default: return nil
        }
        guard let count = reader.integer(UInt32.self) else { return nil }
        while !reader.isAtEnd {
            guard let hash = reader.bytes(32), let expires = reader.integer(Int64.self),
                let tokenID = reader.integer(UInt64.self),
                content.entries.last?.hash.lexicographicallyPrecedes(hash) ?? true
            else { return nil }
            content.entries.append(
                Entry(hash: hash, expiresUnixSeconds: expires, tokenID: tokenID))
        }
        return content.entries.count == count ? content : nil
    }
}
