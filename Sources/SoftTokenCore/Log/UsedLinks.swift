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
    /// A generation below it is one that an earlier version counted, from 1 on; else it is a time.
    private static let firstTime: UInt64 = 1 << 30

    struct Entry: Equatable {
        let hash: [UInt8]
        let expiresUnixSeconds: Int64
        /// 0: gone.
        var tokenID: UInt64
    }

    /// What a file holds.
    struct Content: Equatable {
        /// No link of this version or of one before it was issued later than that, Unix seconds; unless
        /// it is below `firstTime`.
        var generation: UInt64 = 0
        /// Links issued until then may have been used without being among the entries, Unix seconds.
        var sinceUnixSeconds = Int64.min
        var entries: [Entry] = []
    }

    /// Whether this link has been used with this keystore, or one before it; or may have been, where
    /// the file was altered, taken away or put back.
    ///
    /// - Parameter named: the generation that the keystore names; without a PIN that is not known.
    /// - Throws: `KeystoreError.system`, `.problem`, `.outOfMemory`: a read that failed makes no
    ///   link unused.
    package static func contains(
        _ link: VerifiedLink, _ folders: KeystoreFolders, named: UInt64 = 0
    ) throws(KeystoreError) -> Bool {
        try contains(
            x: link.key.bytes, jti: link.jti, issuedAtUnixSeconds: link.issuedAtUnixSeconds,
            folders, named: named)
    }

    static func contains(
        x: [UInt8], jti: [UInt8], issuedAtUnixSeconds: Int64, _ folders: KeystoreFolders,
        named: UInt64
    ) throws(KeystoreError) -> Bool {
        guard let key = try LogKey.read(folders.state) else { return false }
        let head = try AuditLog.head(folders, key: key)
        let file = try contents(of: fileName, folders)
        return try key.withMACKey(.usedLinks) { key in
            let content = known(named, head, file, key).content
            let hash = key.mac(of: x, jti)
            return issuedAtUnixSeconds <= content.sinceUnixSeconds
                || content.entries.contains { $0.hash == hash }
        }
    }

    /// The file, and whether it is whole and not older than keystore and log's head say. Where it is
    /// not, what was issued until the generation that they name counts as used.
    private static func known(
        _ named: UInt64, _ head: AuditHead?, _ file: [UInt8]?, _ key: borrowing MACKey
    ) -> (content: Content, isWhole: Bool) {
        let found = decoded(file, key)
        let vouched = head?.vouched.usedLinks ?? 0
        let highest = max(named, vouched)
        var content = found ?? Content()
        guard content.generation < highest || isUntold(named) || isUntold(vouched) else {
            return (content, found != nil)
        }
        content.generation = max(content.generation, highest)
        // Where an earlier version counted, the latest time that the head vouches for has to do.
        let until = highest < firstTime ? head?.baselineUnixSeconds : Int64(clamping: highest)
        content.sinceUnixSeconds = max(content.sinceUnixSeconds, until ?? Int64.min)
        // A head of which nothing is told says nothing of the file.
        let isWhole = found.map { $0.generation >= (isUntold(vouched) ? named : highest) } ?? false
        return (content, isWhole)
    }

    /// Whether it is no file's generation: `Vouched.untoldUsedLinks`.
    private static func isUntold(_ generation: UInt64) -> Bool {
        generation >= firstTime && generation % 2 == 1
    }

    /// The generation of the next version: even, higher than the one before, no link's `iat` above it,
    /// and 300 s from now, since earlier versions kept links without that.
    private static func generation(
        after generation: UInt64, _ link: VerifiedLink, unixSeconds: Int64
    ) -> UInt64 {
        let least = max(
            generation + 1, UInt64(max(link.issuedAtUnixSeconds, 0)),
            UInt64(max(unixSeconds, 0)) + 300)
        return min(least + least % 2, 1 << 63)
    }

    /// The next version of the file, on the disk and not yet in place. It stays there when this value
    /// is dropped: after the keystore was saved, or may have been, its link must not become unused.
    struct Prepared: ~Copyable {
        private var file: PreparedFile
        /// Whether the file was whole, and what keystore and log's head name; else it is begun anew.
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
    /// - Parameters:
    ///   - tokens: the keystore's, the link's own among them or not.
    ///   - named: the generation that the keystore names.
    static func prepare(
        _ link: VerifiedLink, tokenID: UInt64, tokens: [TokenMetadata], named: UInt64,
        folders: KeystoreFolders, unixSeconds: Int64
    ) throws(KeystoreError) -> Prepared {
        let key = try AuditLog.key(folders)
        let macKey = try key.macKey(.usedLinks)
        var (content, isWhole) = known(
            named, try AuditLog.head(folders, key: key), try contents(of: fileName, folders),
            macKey)
        content.generation = generation(
            after: content.generation, link, unixSeconds: unixSeconds)
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
                wasWhole: isWhole, generation: content.generation))
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
