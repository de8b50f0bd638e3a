// What the log's head says of the attempt record and the keystore: generations below it were put
// back. Bound by Keystore/FORMAT.md §6, §10.
package import Keystore
internal import Linux

extension AuditLog {
    /// The generations that the head vouches for, with the wrong PINs beyond it; nil where no head
    /// counts. Read it before the attempt records, so that it is never newer than they are.
    ///
    /// - Throws: `KeystoreError.system`, `.problem`, `.outOfMemory`: a read that failed is no head
    ///   that is missing.
    package static func vouched(
        _ folders: KeystoreFolders
    ) throws(KeystoreError) -> Vouched? {
        guard let key = try LogKey.read(folders.state),
            var head = try head(folders, key: key)
        else { return nil }
        guard head.vouched.attempts > 0, let file = try openedLog(folders) else {
            return head.vouched
        }
        let chain = try key.macKey(.chain)
        if head.isPruning {
            let start = try bytes(of: file, at: 0, count: lineByteCount)
            head = try chain.fitted(head, to: start[...])
        }
        let beyond = try bytes(of: file, at: Int(head.byteCount), count: maximumByteCount)
        for bytes in beyond.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .dropLast()
        {
            guard let line = AuditLine(bytes),
                try chain.isChained(line, afterSequence: head.lastSequence, mac: head.lastMAC)
            else { break }
            head.follow(line, byteCount: bytes.count + 1)
        }
        return head.vouched
    }

    /// nil also for what is no private file: no attempt is made beside it, so that none is hidden.
    private static func openedLog(
        _ folders: KeystoreFolders
    ) throws(KeystoreError) -> Descriptor? {
        do throws(FileProblem) { return try folders.state.open(fileName) } catch {
            guard case .system(let failure) = error else { return nil }
            throw .system(failure)
        }
    }

    private static func bytes(
        of file: borrowing Descriptor, at offset: Int, count: Int
    ) throws(KeystoreError) -> [UInt8] {
        do throws(SystemError) { return try file.bytes(at: offset, count: count) } catch {
            throw .system(error)
        }
    }
}
