// The audit log on disk: entry first, then head, durable before what it tells of is shown. A log that
// is missing or altered never stops a command: a new chain begins with a tamper entry.
// Bound by CONTRACT §3 and Keystore/FORMAT.md §10. Call every writing function under the lock.
package import Keystore
internal import Linux

package enum AuditLog {
    static let fileName = "log"
    static let maximumByteCount = 64 << 20

    /// Appends entries durably.
    ///
    /// - Parameters:
    ///   - vouched: what is on the disk, for the head to vouch for.
    ///   - isBeforeTry: an attempt is counted and its PIN is tried next: no entry tells of it yet.
    /// - Throws: `KeystoreError.system`, `.problem`, `.outOfMemory`; then no entry was added.
    package static func append(
        _ entries: [AuditEntry], folders: KeystoreFolders, lock: KeystoreLock,
        unixSeconds: Int64, vouched: Vouched? = nil,
        isBeforeTry: Bool = false
    ) throws(KeystoreError) {
        let key = try key(folders)
        let file = try opening(try AppendFile(fileName, in: folders.state))
        let chain = try key.macKey(.chain)
        var (head, notes) = try takeUp(
            file, folders: folders, key: key, chain: chain, mayCut: !entries.isEmpty)
        let old = try oldEntries(
            in: file, head: head, chain: chain, unixSeconds: unixSeconds,
            mayDrop: entries.contains { $0.event.isBehindPIN($0.outcome) })
        if case .altered = old {
            (head, notes) = try newChain(
                file, size: Int(head.byteCount), after: head, why: "an entry was altered")
        }
        // Which links were used can't be told where the log is not what its head says; where a signed
        // link's entry lies beyond the head, an open keystore names them.
        if !notes.tamperEntries.isEmpty || head.tellsOfUsedLink && vouched?.usedLinks ?? 0 == 0 {
            head.vouched.usedLinks = Vouched.untoldUsedLinks(
                unixSeconds: unixSeconds, above: head.vouched.usedLinks)
        }
        // What lay beyond the head lies behind it before more is written: so one use's entries at most
        // are ever found there.
        if head.usesBeyond > 0 { try write(head, folders: folders, key: key) }
        var bytes: [UInt8] = []
        for entry in notes.tamperEntries + entries.map({ notes.noted($0) }) {
            let content = entry.line(
                sequence: head.lastSequence + 1, unixSeconds: unixSeconds)
            let line = chain.chained(content, after: head.lastMAC)
            guard let parsed = LogEntry(line.dropLast()) else {
                preconditionFailure("a line that was just written can be read")
            }
            head.follow(parsed, byteCount: line.count)
            bytes += line
        }
        head.vouch(for: vouched)
        head.isBeforeTry = isBeforeTry
        if !bytes.isEmpty {
            try translating(try file.append(bytes))
            file.release()
        }
        // What can't be dropped today is dropped with the next entry: the head fits either way.
        try? prune(old, from: file, head: &head, folders: folders, key: key)
        try write(head, folders: folders, key: key)
    }

    /// The log key, drawn where there is none. A new log's head is on the disk before its key: so a
    /// key without a head says that somebody removed it, and no power cut does.
    ///
    /// - Throws: `KeystoreError.system`, `.problem`, `.outOfMemory`.
    static func key(_ folders: KeystoreFolders) throws(KeystoreError) -> LogKey {
        try LogKey.readOrCreate(folders.state) { (key) throws(KeystoreError) in
            guard isEmpty(folders), isUnused(folders) else { return }
            try write(AuditHead(), folders: folders, key: key)
        }
    }

    /// How much space has to be there.
    enum Room: Int {
        /// Five entries: a try with what was found before it. No more, so that a nearly full disk
        /// keeps nobody from an OTP.
        case attempt = 1280
        /// More than the entries of any one change.
        case change = 4096
    }

    /// Checks that entries can be appended: key and log are private files, and the log's space is
    /// taken.
    ///
    /// - Throws: `KeystoreError.system`, `.problem`, `.outOfMemory`.
    static func checkWritable(
        _ folders: KeystoreFolders, for room: Room
    ) throws(KeystoreError) {
        _ = try key(folders)
        let file = try opening(try AppendFile(fileName, in: folders.state))
        try translating(try file.reserve(room.rawValue))
    }

    /// Gives the space back that `checkWritable` took for what came to nothing.
    static func giveBack(_ folders: KeystoreFolders) {
        guard folders.state.contains(fileName) else { return }
        (try? AppendFile(fileName, in: folders.state))?.release()
    }

    /// Whether nothing has happened here yet that a log would tell of.
    static func isUnused(_ folders: KeystoreFolders) -> Bool {
        !folders.data.contains("keystore") && !folders.state.contains("erased")
            && !folders.state.contains(UsedLinks.fileName)
    }

    /// Whether there is no entry: no log, or one of no bytes.
    static func isEmpty(_ folders: KeystoreFolders) -> Bool {
        guard folders.state.contains(fileName) else { return true }
        guard let file = try? folders.state.open(fileName),
            let byteCount = try? file.attributes().byteCount
        else { return false }
        return byteCount == 0
    }

    /// The head; nil if it is missing or altered.
    ///
    /// - Throws: `KeystoreError.system`, `.problem`, `.outOfMemory`: a read that failed is no
    ///   tampering.
    static func head(
        _ folders: KeystoreFolders, key: borrowing LogKey
    ) throws(KeystoreError) -> AuditHead? {
        let bytes: [UInt8]?
        do throws(KeystoreError) {
            bytes = try opening(try folders.state.contents(of: AuditHead.fileName, limit: 4096))
        } catch {
            // A head that is too long is an altered one; that it can't be read, or that others may
            // write it, is an error.
            guard case .problem(.tooLong) = error else { throw error }
            return nil
        }
        guard let bytes else { return nil }
        return try key.withMACKey(.head) { AuditHead(bytes, key: $0) }
    }

    /// Writes a head, which is on the disk then: no power cut brings the one before it back.
    static func write(
        _ head: AuditHead, folders: KeystoreFolders, key: borrowing LogKey
    ) throws(KeystoreError) {
        let bytes = try key.withMACKey(.head) { head.encoded(by: $0) }
        try translating { () throws(SystemError) in
            var prepared = try PreparedFile(
                AuditHead.fileName, in: folders.state, bytes: bytes.span)
            try prepared.replace()
            try folders.state.sync()
        }
    }

    /// What was found between the head and the file's end.
    private struct Notes {
        var tamperEntries: [AuditEntry] = []
        var wasCut = false

        mutating func noted(_ entry: AuditEntry) -> AuditEntry {
            guard wasCut else { return entry }
            wasCut = false
            return AuditEntry(
                entry.event, entry.outcome, tokenID: entry.tokenID,
                detail: entry.detail + "; before it an incomplete entry was cut off")
        }
    }

    /// Finds the end of the chain: goes on after the head, or begins a new chain.
    private static func takeUp(
        _ file: borrowing AppendFile, folders: KeystoreFolders, key: borrowing LogKey,
        chain: borrowing MACKey, mayCut: Bool
    ) throws(KeystoreError) -> (AuditHead, Notes) {
        let size = try translating(try file.byteCount())
        guard var head = try head(folders, key: key) else {
            return try newChain(
                file, size: size, after: nil, why: "the log's head or key was missing or altered")
        }
        if head.isPruning {
            let start = try translating(try file.bytes(at: 0, count: lineByteCount))
            head = chain.fitted(head, to: start[...])
        }
        guard size >= head.byteCount else {
            return try newChain(
                file, size: size, after: head.withoutLog,
                why: "entries were missing from the log's end")
        }
        guard try isLastEntry(of: head, in: file) else {
            head.vouched = try vouched(by: head, key, folders)
            return try newChain(
                file, size: size, after: head, why: "the log's last entry was altered")
        }
        guard size > head.byteCount else { return (head, Notes()) }
        return try advance(head, file: file, size: size, chain: chain, mayCut: mayCut)
    }

    /// Whether what ends at the head's length is its last entry, by its MAC: behind anything else the
    /// next entry would not be a line of its own.
    private static func isLastEntry(
        of head: AuditHead, in file: borrowing AppendFile
    ) throws(KeystoreError) -> Bool {
        guard head.byteCount > 0 else { return true }
        let end = Array("\(TextAlphabet.hexadecimal.text(head.lastMAC))\"}\n".utf8)
        let found = try translating(
            try file.bytes(at: max(Int(head.byteCount) - end.count, 0), count: end.count))
        return found == end
    }

    /// Correctly chained entries beyond the head are a power cut; so is an incomplete last line.
    private static func advance(
        _ head: AuditHead, file: borrowing AppendFile, size: Int, chain: borrowing MACKey,
        mayCut: Bool
    ) throws(KeystoreError) -> (AuditHead, Notes) {
        var head = head
        var notes = Notes()
        let start = Int(head.byteCount)
        guard size - start <= maximumByteCount else {
            return try newChain(
                file, size: size, after: head.withoutLog, why: "the log was altered")
        }
        let rest = try translating(try file.bytes(at: start, count: size - start))
        guard chain.follow(rest, by: &head) else {
            return try newChain(
                file, size: size, after: head.withoutLog, why: "the log was altered")
        }
        if head.isPutBack {
            head.vouched = head.vouched.withoutLog
            notes.tamperEntries = [
                AuditEntry(.tamper, .failed, detail: "the log's head was put back")
            ]
        }
        let end = Int(head.byteCount)
        if end < size, mayCut {
            try translating(try file.cut(to: end))
            notes.wasCut = true
        }
        return (head, notes)
    }

    /// A chain of its own behind what can't be verified any more.
    private static func newChain(
        _ file: borrowing AppendFile, size: Int, after old: AuditHead?, why: String
    ) throws(KeystoreError) -> (AuditHead, Notes) {
        var head = AuditHead()
        var end = size
        if size > 0 {
            let last = try translating(try file.bytes(at: size - 1, count: 1))
            if last != [UInt8(ascii: "\n")] {
                try translating(try file.append([UInt8(ascii: "\n")]))
                end += 1
            }
        }
        // Not 0: no chain begins there but the first, so that the break stays to be seen.
        head.baseSequence = max(old?.lastSequence ?? 0, 1)
        head.lastSequence = head.baseSequence
        head.baseOffset = UInt64(end)
        head.byteCount = UInt64(end)
        head.baselineUnixSeconds = old?.baselineUnixSeconds ?? 0
        head.vouch(for: old?.vouched)
        var notes = Notes()
        notes.tamperEntries = [AuditEntry(.tamper, .failed, detail: why + ": a new chain begins")]
        return (head, notes)
    }
}
