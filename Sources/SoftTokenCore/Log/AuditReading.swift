// Reading the audit log back, and verifying it: names the first bad entry. Writes nothing.
// Bound by CONTRACT §1 (`log --verify`) and Keystore/FORMAT.md §10.
package import Keystore
internal import Linux

/// What the log says and whether it is whole.
package struct AuditReport: Equatable, Sendable {
    package let lines: [LogEntry]
    /// Why it is not whole; nil if it is.
    package let flaw: AuditFlaw?
}

/// The first thing that is wrong with a log. FORMAT.md §10.
package enum AuditFlaw: Equatable, Sendable {
    case noKey
    case noHead
    case noLog
    /// What stands in place of this entry is not it.
    case entry(UInt64)
    /// This entry and what follows it.
    case missing(UInt64)
    /// The chain that begins with this entry follows a break.
    case breakBefore(UInt64)

    package var words: String {
        switch self {
        case .noKey: "the log's key is missing or altered"
        case .noHead: "the log's head is missing or altered"
        case .noLog: "the log is missing, its head is there"
        case .entry(let number): "entry \(number) is altered, missing or out of order"
        case .missing(let number): "entry \(number) and what follows it are missing"
        case .breakBefore(let number): "the entries before \(number) are altered or missing"
        }
    }
}

extension AuditLog {
    /// Reads every entry and verifies the chain against the head.
    ///
    /// - Throws: `KeystoreError.system`, `.problem`, `.outOfMemory`.
    package static func read(_ folders: KeystoreFolders) throws(KeystoreError) -> AuditReport {
        guard let key = try LogKey.read(folders.state) else {
            // Without a key, an entry and a keystore there is no log yet.
            let file = try wholeFile(folders)
            return file?.isEmpty ?? true && isUnused(folders)
                ? AuditReport(lines: [], flaw: nil)
                : AuditReport(lines: readable(file), flaw: .noKey)
        }
        // The head first: what is written meanwhile is then newer than it, and follows it.
        let head = try head(folders, key: key)
        let file = try wholeFile(folders)
        guard let head else { return AuditReport(lines: readable(file), flaw: .noHead) }
        guard let file else {
            return AuditReport(lines: [], flaw: head.byteCount == 0 ? nil : .noLog)
        }
        let (fitted, flaw) = try key.withMACKey(.chain) { chain in
            let fitted = chain.fitted(head, to: file[...])
            return (fitted, AuditLog.flaw(in: file, head: fitted, chain: chain))
        }
        // What a head of a whole log has dropped may stand there still, altered or not.
        let start = flaw == nil ? Int(fitted.baseOffset) : 0
        return AuditReport(lines: readable(Array(file[start...])), flaw: flaw)
    }

    private static func wholeFile(_ folders: KeystoreFolders) throws(KeystoreError) -> [UInt8]? {
        try opening(try folders.state.contents(of: fileName, limit: maximumByteCount))
    }

    /// The entries that can be read, whatever they are worth.
    private static func readable(_ file: [UInt8]?) -> [LogEntry] {
        let lines = file?.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        return lines?.dropLast().compactMap { LogEntry($0) } ?? []
    }

    /// The first thing that is wrong, or nil.
    static func flaw(
        in file: [UInt8], head: AuditHead, chain: borrowing MACKey
    ) -> AuditFlaw? {
        var sequence = head.baseSequence
        var mac = head.baseMAC
        var position = min(Int(head.baseOffset), file.count)
        while let end = file[position...].firstIndex(of: UInt8(ascii: "\n")) {
            guard let line = LogEntry(file[position..<end]),
                chain.isChained(line, afterSequence: sequence, mac: mac)
            else { return .entry(sequence + 1) }
            sequence = line.sequence
            mac = line.mac
            position = end + 1
            if sequence == head.lastSequence, mac != head.lastMAC || position != head.byteCount {
                return .entry(sequence)
            }
        }
        guard sequence >= head.lastSequence else { return .missing(sequence + 1) }
        return head.followsBreak ? .breakBefore(head.baseSequence + 1) : nil
    }

    /// Whether the log has told the same within a day, and since then nothing but what needs no PIN.
    static func hasTold(
        _ entry: AuditEntry, _ folders: KeystoreFolders, unixSeconds: Int64
    ) -> Bool {
        guard let file = try? folders.state.open(fileName),
            let size = try? file.attributes().byteCount,
            let end = try? file.bytes(
                at: max(0, size - toldByteCount), count: toldByteCount)
        else { return false }
        for bytes in end.split(separator: UInt8(ascii: "\n")).reversed() {
            guard let line = LogEntry(bytes), line.needsNoPIN else { return false }
            if line.event == entry.event, line.outcome == entry.outcome,
                line.detail == entry.detail
            {
                return abs(unixSeconds - line.unixSeconds) < 86_400
            }
        }
        return false
    }

    /// How much of the log's end holds each refusal that there is once: some eighty entries.
    private static let toldByteCount = 16_384

    /// How much of the log's end `status` looks at: some twenty entries, at 10 µs each.
    private static let lookedAtByteCount = 4096

    /// Whether the log's last entries are as they were written: the cheap look that `status` takes.
    package static func isWholeAtItsEnd(_ folders: KeystoreFolders) -> Bool {
        guard let key = try? LogKey.read(folders.state) else {
            return isEmpty(folders) && isUnused(folders)
        }
        guard let head = try? head(folders, key: key) else { return false }
        if head.byteCount == 0, !folders.state.contains(fileName) { return true }
        guard let file = try? folders.state.open(fileName),
            let size = try? file.attributes().byteCount,
            let start = head.isPruning ? try? file.bytes(at: 0, count: lineByteCount) : []
        else { return false }
        let isWhole = try? key.withMACKey(.chain) { chain in
            let fitted = chain.fitted(head, to: start[...])
            guard size >= fitted.byteCount, !fitted.followsBreak,
                let end = try? tail(of: file, head: fitted, size: size)
            else { return false }
            return flaw(in: end.bytes, head: end.head, chain: chain) == nil
        }
        return isWhole ?? false
    }

    /// The log's end, and its head as if the chain began there: each entry bears the MAC that the
    /// next one follows.
    private static func tail(
        of file: borrowing Descriptor, head: AuditHead, size: Int
    ) throws(SystemError) -> (bytes: [UInt8], head: AuditHead)? {
        // A power cut leaves an entry or two beyond the head; a file of any length is not read.
        guard size - Int(head.byteCount) <= 1 << 16 else { return nil }
        let start = max(Int(head.baseOffset), Int(head.byteCount) - lookedAtByteCount)
        let bytes = try file.bytes(at: start, count: size - start)
        var tail = head
        tail.byteCount -= UInt64(start)
        tail.baseOffset -= min(tail.baseOffset, UInt64(start))
        guard start > head.baseOffset else { return (bytes, tail) }
        let lines = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 2)
        guard lines.count == 3, let first = LogEntry(lines[1]) else { return nil }
        tail.baseSequence = first.sequence
        tail.baseMAC = first.mac
        tail.baseOffset = UInt64(lines[2].startIndex)
        return (bytes, tail)
    }
}
