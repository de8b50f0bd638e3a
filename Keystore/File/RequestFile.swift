// The private key of this device's enrolment request: serves one activation. Bound by DESIGN §7 and
// FORMAT.md §12.
package import Linux

package enum RequestFile {
    static let fileName = "request"
    /// DESIGN §7: how long a request lives.
    package static let lifeSeconds: Int64 = 14 * 24 * 3600
    private static let magic = Array("ST-REQU1".utf8)

    /// The living request; nil if there is none, it is damaged or older than 14 days.
    package static func read(
        _ state: borrowing Directory, unixSeconds: Int64
    ) throws(KeystoreError) -> RequestKey? {
        guard let file = try readWhole(state), isLiving(file, unixSeconds) else { return nil }
        return try RequestKey(secret: copy(16..<48, of: file))
    }

    /// Whether a whole request lies there that has outlived its 14 days. One from the future is
    /// not spent: the clock may be wrong.
    package static func isSpent(
        _ state: borrowing Directory, unixSeconds: Int64
    ) throws(KeystoreError) -> Bool {
        guard state.contains(fileName), let file = try readWhole(state) else { return false }
        return unixSeconds > created(file) && !isLiving(file, unixSeconds)
    }

    private static func isLiving(_ file: borrowing SecureBytes, _ unixSeconds: Int64) -> Bool {
        let created = created(file)
        return created >= 0 && created <= unixSeconds && unixSeconds - created <= lifeSeconds
    }

    private static func created(_ file: borrowing SecureBytes) -> Int64 {
        file.read { bytes in (8..<16).reduce(Int64(0)) { $0 << 8 | Int64(bytes[$1]) } }
    }

    /// The file, if its magic and checksum are right.
    private static func readWhole(
        _ state: borrowing Directory
    ) throws(KeystoreError) -> SecureBytes? {
        let file: SecureBytes?
        do throws(KeystoreError) {
            file = try readSecretFile(
                fileName, in: state, byteCounts: 64...64, damaged: .damaged(.deviceKey))
        } catch {
            guard case .damaged = error else { throw error }
            return nil
        }
        guard let file else { return nil }
        let checksum = checksum(of: file)
        let isWhole = file.read { bytes in
            magic.indices.allSatisfy { bytes[$0] == magic[$0] }
                && checksum.indices.allSatisfy { bytes[48 + $0] == checksum[$0] }
        }
        guard isWhole else { return nil }
        return file
    }

    /// Keeps a new request's key.
    package static func write(
        _ key: borrowing RequestKey, in state: borrowing Directory, unixSeconds: Int64
    ) throws(KeystoreError) {
        var header = ByteWriter()
        header.append(magic)
        header.append(unixSeconds)
        var file = try SecureBytes(count: 64)
        fill(&file, at: 0, with: header.bytes)
        file.write { (target: inout MutableSpan<UInt8>) in
            key.readSecret { secret in
                for index in secret.indices { target[16 + index] = secret[index] }
            }
        }
        fill(&file, at: 48, with: checksum(of: file))
        try replaceSecretFile(fileName, in: state, with: file)
    }

    /// Erases the key.
    package static func remove(_ state: borrowing Directory) throws(KeystoreError) {
        try translating { () throws(SystemError) in
            try state.overwriteAndRemove(fileName)
            try state.sync()
        }
    }

    private static func checksum(of file: borrowing SecureBytes) -> [UInt8] {
        blake2b(ofSecret: file, prefix: 48, byteCount: 16)
    }
}
