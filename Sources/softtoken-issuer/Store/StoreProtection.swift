// How a store's seeds are encrypted. Bound by RECORDS.md §7, §8.
import Keystore
import KeystoreIssuer
import OTP
import SoftTokenCore

extension RecordsStore {
    /// What protects the seeds; nil for a store in the clear.
    func protection() throws(Failure) -> PSKCProtection? {
        guard
            let row = try database.rows("SELECT bytes, salt, rounds, mackey FROM protection").first
        else { return nil }
        let damaged = Failure(damaged: path, "its protection is none")
        guard let count = row[0].number, [16, 24, 32].contains(count), let macKey = row[3].bytes
        else { throw damaged }
        guard row[1] != .null else {
            return PSKCProtection(.preShared, keyByteCount: Int(count), macKey: macKey)
        }
        guard let salt = row[1].bytes, let rounds = row[2].number,
            let parameters = PBKDF2Parameters(
                salt: salt, iterationCount: Int(clamping: rounds), algorithm: .sha1)
        else { throw damaged }
        return PSKCProtection(
            .derived(parameters, keyByteCount: Int(count)), keyByteCount: Int(count),
            macKey: macKey)
    }

    /// What opens and writes the seeds.
    func keyring(_ secret: RecordsSecret?) throws(Failure) -> PSKCKeyring {
        let protection = try protection()
        let keyring = try recordsKeyring(protection ?? PSKCProtection(), secret, path: path)
        guard protection != nil else { return keyring }
        // What is added must open with what opens the others, and be it the first.
        do throws(Failure) { try keyring.requireStoreKey() } catch {
            throw Failure(opening: path)
        }
        return keyring
    }
}

extension Database {
    /// Notes how the seeds of a store are encrypted.
    func write(_ protection: PSKCProtection) throws(Failure) {
        guard let macKey = protection.macKey, let cipher = macKey.cipher else { return }
        var derivation = [SQLValue.null, .null]
        if case .derived(let parameters, _) = protection.encryptionKey {
            derivation = [
                .text(base64Encoded(parameters.salt)), .integer(Int64(parameters.iterationCount)),
            ]
        }
        try run(
            "INSERT INTO protection VALUES (1, ?, ?, ?, ?)",
            [.integer(Int64(cipher.keyByteCount))] + derivation
                + [.text(base64Encoded(macKey.bytes))])
    }
}

/// The key of records, hexadecimal or a passphrase, for as long as a command runs.
final class RecordsSecret: Sendable {
    let bytes: SecureBytes
    /// Whether it was given for records of ours, and not for a vendor's file.
    let isOfOurs: Bool

    private init(_ bytes: consuming SecureBytes, isOfOurs: Bool) {
        self.bytes = bytes
        self.isOfOurs = isOfOurs
    }

    /// Takes it from a descriptor.
    static func read(
        from number: Int32?, isOfOurs: Bool = true
    ) throws(Failure) -> RecordsSecret? {
        guard let number else { return nil }
        guard let line = try secretLine(from: number) else {
            throw .usage("descriptor \(number) has no key")
        }
        return RecordsSecret(line, isOfOurs: isOfOurs)
    }
}

/// What opens records of ours, or writes them in the clear. Encrypted ones have no seed in the clear:
/// whoever put one there had no key.
func recordsKeyring(
    _ protection: PSKCProtection, _ secret: RecordsSecret?, path: String
) throws(Failure) -> PSKCKeyring {
    guard protection.isEncrypted else {
        guard secret == nil else {
            throw .usage(
                "\(path) is not encrypted",
                hint: "softtoken-issuer records encrypt does it, for the whole of it")
        }
        return PSKCKeyring()
    }
    guard let secret else {
        throw .usage("\(path) is encrypted", hint: "give its key with --records-key-fd")
    }
    do throws(Failure) {
        return try PSKCKeyring(
            protection, unlockedWith: secret.bytes, takesPlainSeeds: false)
    } catch { throw Failure(opening: path) }
}

extension Failure {
    fileprivate init(opening path: String) {
        self.init(
            .rejected, "the key doesn't open \(path)",
            hint: "give the one that it was encrypted with")
    }
}

extension PSKCProtection {
    /// 0.1 s a try on one core.
    private static let rounds = 200_000

    /// How new records are encrypted: under a pre-shared AES key for 32, 48 or 64 hexadecimal digits, else
    /// under a key that is derived from the passphrase; without either not at all.
    static func new(for secret: RecordsSecret?) throws(Failure) -> PSKCProtection {
        guard let secret else { return PSKCProtection() }
        if let key = try preSharedKey(secret.bytes), [16, 24, 32].contains(key.byteCount) {
            return try PSKCProtection(.preShared, key)
        }
        let parameters = PBKDF2Parameters(
            salt: randomBytes(count: 16), iterationCount: rounds, algorithm: .sha1)
        guard let parameters, secret.bytes.count >= 8 else {
            throw .usage(
                "the key of the records can't be used",
                hint: "32, 48 or 64 hexadecimal digits, or a passphrase of 8 bytes or more")
        }
        let key = try inMemory(
            try PSKCKey(password: secret.bytes, parameters: parameters, byteCount: 16))
        return try PSKCProtection(.derived(parameters, keyByteCount: 16), key)
    }

    /// With a MAC key that is drawn now.
    private init(_ encryptionKey: EncryptionKey, _ key: PSKCKey) throws(Failure) {
        let macKey = try inMemory(
            try key.encrypt(try Seed(randomByteCount: PSKCProtection.macKeyByteCount)))
        self.init(encryptionKey, keyByteCount: key.byteCount, macKey: macKey)
    }
}
