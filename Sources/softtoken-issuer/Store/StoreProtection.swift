// How a store's seeds are encrypted. Bound by RECORDS.md §7, §8.
import Keystore
import KeystoreIssuer
import OTP

extension RecordsStore {
    /// What protects the seeds; nil for a store in the clear.
    ///
    /// - Throws: `Failure` (65).
    func protection() throws(Failure) -> PSKCProtection? {
        let rows = try catching { (database) throws(DatabaseError) in
            try database.rows("SELECT bytes, salt, rounds, mackey FROM protection")
        }
        guard let row = rows.first else { return nil }
        let damaged = Failure(.rejected, "\(path) is damaged: its protection is none")
        guard let count = row[0].number, [16, 24, 32].contains(count),
            let macKey = row[3].text.flatMap({ publicBase64(Array($0.utf8)) })
        else { throw damaged }
        guard let salt = row[1].text else {
            return PSKCProtection(.preShared, keyByteCount: Int(count), macKey: macKey)
        }
        guard let salt = publicBase64(Array(salt.utf8)), let rounds = row[2].number,
            let parameters = PBKDF2Parameters(
                salt: salt, iterationCount: Int(clamping: rounds), algorithm: .sha1)
        else { throw damaged }
        return PSKCProtection(
            .derived(parameters, keyByteCount: Int(count)), keyByteCount: Int(count),
            macKey: macKey)
    }

    /// What opens and writes the seeds.
    ///
    /// - Throws: `Failure`: 64 where a key is missing or not needed, 65 for a wrong one.
    func keyring(_ secret: RecordsSecret?) throws(Failure) -> PSKCKeyring {
        let protection = try protection()
        let keyring = try recordsKeyring(protection ?? PSKCProtection(), secret, path: path)
        // Shown by a seed that is there: what is added must open with what opens the others.
        if protection != nil, let serial = try firstSerial() {
            let token = try token(serial)
            do throws(KeyProblem) { _ = try keyring.bytes(token.seed, named: "Secret") } catch {
                throw Failure(error, serial: serial)
            }
        }
        return keyring
    }

    private func firstSerial() throws(Failure) -> String? {
        try catching { (database) throws(DatabaseError) in
            try database.rows("SELECT serial FROM tokens LIMIT 1").first?[0].text
        }
    }
}

extension Database {
    /// Notes how the seeds of a store are encrypted.
    func write(_ protection: PSKCProtection) throws(DatabaseError) {
        guard let macKey = protection.macKeyValue, let cipher = macKey.cipher else { return }
        var values: [SQLValue] = [.integer(Int64(cipher.keyByteCount))]
        switch protection.encryptionKey {
        case .derived(let parameters, _):
            values += [
                .text(base64Encoded(parameters.salt)), .integer(Int64(parameters.iterationCount)),
            ]
        default: values += [.null, .null]
        }
        try run(
            "INSERT INTO protection VALUES (1, ?, ?, ?, ?)",
            values + [.text(base64Encoded(macKey.bytes))])
    }
}

/// The key of records, hexadecimal or a passphrase, for as long as a command runs.
final class RecordsSecret: Sendable {
    let bytes: SecureBytes

    init(_ bytes: consuming SecureBytes) { self.bytes = bytes }

    /// Takes it from a descriptor.
    ///
    /// - Throws: `Failure` (64, 65, 74).
    static func read(from number: Int32?) throws(Failure) -> RecordsSecret? {
        guard let number else { return nil }
        guard let line = try Console.secretLine(from: number) else {
            throw Failure(.usage, "descriptor \(number) has no key")
        }
        return RecordsSecret(line)
    }
}

/// What opens records, or writes them in the clear.
///
/// - Throws: `Failure`: 64 where a key is missing or not needed.
func recordsKeyring(
    _ protection: PSKCProtection, _ secret: RecordsSecret?, path: String
) throws(Failure) -> PSKCKeyring {
    guard protection.isEncrypted else {
        guard secret == nil else {
            throw Failure(
                .usage, "\(path) is not encrypted",
                hint: "softtoken-issuer records encrypt does it, for the whole of it")
        }
        return PSKCKeyring()
    }
    guard let secret else {
        throw Failure(.usage, "\(path) is encrypted", hint: "give its key with --records-key-fd")
    }
    do throws(KeyProblem) {
        return try PSKCKeyring(protection, unlockedWith: secret.bytes)
    } catch {
        throw Failure(.rejected, "the key doesn't open \(path)", hint: error.hint)
    }
}
