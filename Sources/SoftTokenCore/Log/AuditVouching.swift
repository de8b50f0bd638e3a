// What the log's head says of attempt record, keystore and used links: generations below it were put
// back. Bound by Keystore/FORMAT.md §6, §10.
package import Keystore
internal import Linux

extension AuditLog {
    /// The generations that the head vouches for, with the wrong PINs and the changes beyond it; nil
    /// where no head counts. Read it before the attempt records, so that it is never newer than they
    /// are.
    ///
    /// - Throws: `KeystoreError.system`, `.problem`, `.outOfMemory`: a read that failed is no head
    ///   that is missing.
    package static func vouched(_ folders: KeystoreFolders) throws(KeystoreError) -> Vouched? {
        try headStanding(folders).vouched
    }

    /// `vouched`, and the latest time that the head vouches for (DESIGN §7), Unix seconds; nil where no
    /// head counts. Both from one look at the head.
    static func headStanding(
        _ folders: KeystoreFolders
    ) throws(KeystoreError) -> (vouched: Vouched?, baselineUnixSeconds: Int64?) {
        guard let key = try LogKey.read(folders.state), let head = try head(folders, key: key)
        else { return (nil, nil) }
        let baseline = head.baselineUnixSeconds
        return (try vouched(by: head, key, folders), baseline == 0 ? nil : baseline)
    }

    static func vouched(
        by head: AuditHead, _ key: borrowing LogKey, _ folders: KeystoreFolders
    ) throws(KeystoreError) -> Vouched {
        var head = head
        guard head.vouched.attempts > 0 else { return head.vouched }
        let file: Descriptor
        do throws(FileProblem) {
            guard let opened = try folders.state.open(fileName) else {
                return head.byteCount > 0 ? head.vouched.withoutLog : head.vouched
            }
            file = opened
        } catch {
            if case .system(let failure) = error { throw .system(failure) }
            // The log is no private file: then no attempt is made, so that none is hidden.
            return head.vouched
        }
        if head.isPruning {
            let start = try bytes(of: file, at: 0, count: lineByteCount)
            head = try key.withMACKey(.chain) { $0.fitted(head, to: start[...]) }
        }
        let size = try byteCount(of: file)
        guard size >= head.byteCount, size - head.byteCount <= maximumByteCount else {
            return head.vouched.withoutLog
        }
        let beyond = try bytes(
            of: file, at: Int(head.byteCount), count: Int(size - head.byteCount))
        // As a rule nothing lies beyond the head.
        guard !beyond.isEmpty else { return head.vouched }
        let isChained = try key.withMACKey(.chain) { $0.follow(beyond, by: &head) }
        return isChained && !head.isPutBack ? head.vouched : head.vouched.withoutLog
    }

    // The file is lent here: this compiler copies a local one into the closure that `translating` takes.

    private static func byteCount(of file: borrowing Descriptor) throws(KeystoreError) -> UInt64 {
        try translating(UInt64(try file.attributes().byteCount))
    }

    private static func bytes(
        of file: borrowing Descriptor, at offset: Int, count: Int
    ) throws(KeystoreError) -> [UInt8] {
        try translating(try file.bytes(at: offset, count: count))
    }
}

extension AuditHead {
    /// For the chain that begins where the log is not what this head names.
    var withoutLog: AuditHead {
        var head = self
        head.vouched = vouched.withoutLog
        return head
    }
}
