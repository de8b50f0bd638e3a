// Reading the audit log back, and verifying it: names the first bad entry. Writes nothing.
// Bound by CONTRACT §1 (`log --verify`) and Keystore/FORMAT.md §10.
package import Keystore
internal import Linux

/// What the log says and whether it is whole.
package struct AuditReport: Equatable, Sendable {
    package let lines: [AuditLine]
    /// Why it is not whole; nil if it is.
    package let flaw: String?
}

extension AuditLog {
    /// Reads every entry and verifies the chain against the head.
    ///
    /// - Throws: `KeystoreError.system`, `.problem`, `.outOfMemory`.
    package static func read(
        _ folders: KeystoreFolders
    ) throws(KeystoreError) -> AuditReport {
        let file = try opening { () throws(FileProblem) in
            try folders.state.contents(of: fileName, limit: maximumByteCount)
        }
        guard let key = try LogKey.read(folders.state) else {
            // Without a key, an entry and a keystore there is no log yet.
            return file?.isEmpty ?? true && isUnused(folders)
                ? AuditReport(lines: [], flaw: nil)
                : AuditReport(lines: readable(file), flaw: "the log's key is missing or altered")
        }
        guard let head = try head(folders, key: key) else {
            return AuditReport(
                lines: readable(file), flaw: "the log's head is missing or altered")
        }
        guard let file else {
            return AuditReport(
                lines: [],
                flaw: head.byteCount == 0 ? nil : "the log is missing, its head is there")
        }
        do throws(SecureMemoryError) {
            return AuditReport(
                lines: readable(file),
                flaw: try flaw(in: file, head: head, chain: try key.macKey(.chain)))
        } catch { throw .outOfMemory }
    }

    /// The entries that can be read, whatever they are worth.
    private static func readable(_ file: [UInt8]?) -> [AuditLine] {
        let lines = file?.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        return lines?.dropLast().compactMap { AuditLine($0) } ?? []
    }

    /// The first thing that is wrong, or nil.
    static func flaw(
        in file: [UInt8], head: AuditHead, chain: borrowing MACKey
    ) throws(SecureMemoryError) -> String? {
        guard file.count >= head.byteCount else {
            let missing = try lastWholeSequence(in: file, head: head, chain: chain)
            return "entry \(missing + 1) and what follows it are missing"
        }
        var sequence = head.baseSequence
        var mac = head.baseMAC
        var position = Int(head.baseOffset)
        while let end = file[position...].firstIndex(of: UInt8(ascii: "\n")) {
            guard let line = AuditLine(file[position..<end]),
                try chain.isChained(line, afterSequence: sequence, mac: mac)
            else { return "entry \(sequence + 1) is altered, missing or out of order" }
            sequence = line.sequence
            mac = line.mac
            position = end + 1
            if sequence == head.lastSequence, mac != head.lastMAC || position != head.byteCount {
                return "entry \(sequence) is altered"
            }
        }
        guard sequence >= head.lastSequence else {
            return "entry \(sequence + 1) and what follows it are missing"
        }
        guard !head.followsBreak else {
            return "the entries before \(head.baseSequence + 1) are altered or missing"
        }
        return nil
    }

    private static func lastWholeSequence(
        in file: [UInt8], head: AuditHead, chain: borrowing MACKey
    ) throws(SecureMemoryError) -> UInt64 {
        var sequence = head.baseSequence
        var mac = head.baseMAC
        var position = min(Int(head.baseOffset), file.count)
        while let end = file[position...].firstIndex(of: UInt8(ascii: "\n")) {
            guard let line = AuditLine(file[position..<end]),
                try chain.isChained(line, afterSequence: sequence, mac: mac)
            else { break }
            sequence = line.sequence
            mac = line.mac
            position = end + 1
        }
        return sequence
    }

    /// Whether the log's end fits its head: the cheap look that `status` takes.
    package static func fitsHead(_ folders: KeystoreFolders) -> Bool {
        guard let key = try? LogKey.read(folders.state) else {
            return isEmpty(folders) && isUnused(folders)
        }
        guard let head = try? head(folders, key: key) else { return false }
        if head.byteCount == 0, !folders.state.contains(fileName) { return !head.followsBreak }
        guard
            let file = try? folders.state.open(fileName),
            let size = try? file.attributes().byteCount
        else { return false }
        return size >= head.byteCount && !head.followsBreak
    }
}
