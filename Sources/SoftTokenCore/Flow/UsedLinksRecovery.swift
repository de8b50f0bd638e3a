// Whether the link of a killed activation is used: its token, saved or not, tells. A link that could
// be used twice would let a HOTP counter go back. Bound by DESIGN §1.8 and Keystore/FORMAT.md §11.
import Keystore
import Linux

extension UsedLinks {
    /// Puts the version that a killed activation has left in place, or removes it. Call it under the
    /// lock.
    ///
    /// - Parameter tokens: the ids of the keystore's tokens; nil where they can't be asked: then a
    ///   link is rather spent than used twice.
    /// - Throws: `KeystoreError.system`, `.outOfMemory`; then nothing is changed.
    static func recover(
        _ folders: KeystoreFolders, tokens: [UInt64]?
    ) throws(KeystoreError) {
        guard folders.state.contains(besideName) else { return }
        guard try isUsed(folders, tokens: tokens) else {
            // One that can't be removed is judged the same the next time.
            try? folders.state.remove(besideName)
            return
        }
        try translating(try folders.state.putInPlace(fileName))
    }

    /// Whether the version beside the file is whole and a token of its own is kept.
    private static func isUsed(
        _ folders: KeystoreFolders, tokens: [UInt64]?
    ) throws(KeystoreError) -> Bool {
        guard let key = try LogKey.read(folders.state),
            let beside = try readable(besideName, folders)
        else { return false }
        let former = try readable(fileName, folders)
        return try key.withMACKey(.usedLinks) { key in
            guard let new = decoded(beside, key) else { return false }
            guard let tokens else { return true }
            let known = decoded(former, key)?.entries ?? []
            return new.entries.contains { entry in
                tokens.contains(entry.tokenID) && !known.contains { $0.hash == entry.hash }
            }
        }
    }

    /// What a file holds; no bytes where something else stands in its place: it is no whole file of
    /// links, and a right PIN is not refused for it.
    static func readable(
        _ name: String, _ folders: KeystoreFolders
    ) throws(KeystoreError) -> [UInt8]? {
        do throws(KeystoreError) { return try contents(of: name, folders) } catch {
            guard case .problem = error else { throw error }
            return []
        }
    }
}

extension Flow {
    /// Recovers what a killed activation has left, before anything else is done with these tokens.
    func recoverUsedLinks(_ session: inout Session) throws(KeystoreError) {
        do throws(KeystoreError) {
            try UsedLinks.recover(session.folders, tokens: session.keystore.tokens.map(\.id))
            session.usedLinks = session.keystore.usedLinks
        } catch {
            // The PIN was right, whatever fails behind it.
            try? resetAttempts(&session)
            throw error
        }
    }
}
