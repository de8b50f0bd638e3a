// What opens a PSKC file's values: the key that the vendor sent on another way, and the MAC key that
// the file holds. A ValueMAC is verified before its value is decrypted. Bound by RFC 6030 §6.
import Keystore
import KeystoreIssuer
import Linux
import OTP

/// The keys of one PSKC file.
struct PSKCKeyring: Sendable {
    private let key: PSKCKey?
    private let macKey: PSKCKey?
    private let protection: PSKCProtection
    private let takesPlainSeeds: Bool

    /// For a file whose values are plain; encrypted ones are `.keyNeeded`.
    init(_ protection: PSKCProtection = PSKCProtection()) {
        self.protection = protection
        key = nil
        macKey = nil
        takesPlainSeeds = true
    }

    /// - Parameters:
    ///   - secret: a password where the file derives its key, else hexadecimal digits.
    ///   - takesPlainSeeds: RFC 6030 has some values encrypted and others not; records of ours don't.
    init(
        _ protection: PSKCProtection, unlockedWith secret: borrowing SecureBytes,
        takesPlainSeeds: Bool = true
    ) throws(Failure) {
        guard !protection.hasTripleDESKey else { throw .tripleDES }
        let key = try encryptionKey(protection, secret)
        self.key = key
        macKey = try authenticationKey(protection, key)
        self.protection = protection
        self.takesPlainSeeds = takesPlainSeeds
    }

    /// Whether the key is the one that a store of ours was made with. A wrong one gets through the
    /// initialiser once in sixteen times, because the MAC key has no MAC; that it has our length and
    /// padding, too, once in 2^96.
    func requireStoreKey() throws(Failure) {
        guard let key, let value = protection.macKey, let cipher = value.cipher,
            let macKey = try inMemory(
                try key.decrypt(value.bytes, cipher: cipher, padding: .count)),
            macKey.count == PSKCProtection.macKeyByteCount
        else { throw .wrongKey }
    }

    /// A seed, in guarded memory; a plain one is base64.
    func seed(_ value: PSKCValue) throws(Failure) -> Seed {
        let bytes: SecureBytes
        switch value {
        case .encrypted(let value): bytes = try decrypt(value)
        case .plain(let text):
            guard takesPlainSeeds else { throw .plainSeed }
            guard let decoded = try inMemory(try SecureBytes.decoding(base64: text.span)) else {
                throw .malformedValue("Secret")
            }
            bytes = decoded
        }
        guard bytes.count <= Seed.maximumByteCount else { throw .seedLength }
        return Seed(bytes)
    }

    /// A value as a number: in digits where it is plain, else big-endian. RFC 6030 §4.2 has 4 or 8
    /// bytes with a sign; multiOTP writes as many as the number needs, without one.
    ///
    /// - Returns: nil for what is no number.
    func number(_ value: PSKCValue) throws(Failure) -> Int64? {
        switch value {
        case .plain(let text): return Int64(String(decoding: text, as: UTF8.self))
        case .encrypted(let value):
            let bytes = try decrypt(value)
            guard (1...8).contains(bytes.count) else { return nil }
            return bytes.read { bytes in
                let isSigned = bytes.count == 4 || bytes.count == 8
                let first = isSigned ? Int64(Int8(bitPattern: bytes[0])) : Int64(bytes[0])
                return bytes.indices.dropFirst().reduce(first) { $0 << 8 | Int64(bytes[$1]) }
            }
        }
    }

    /// How a seed is written into records that this opens.
    func written(_ seed: borrowing Seed) throws(Failure) -> PSKCValue {
        guard let key else {
            var text: [UInt8] = []
            seed.appendBase64(to: &text)
            return .plain(text)
        }
        let value = try inMemory(try key.encrypt(seed))
        return .encrypted(
            PSKCEncryptedValue(
                algorithm: protection.cipherName ?? "", bytes: value, mac: try mac(of: value)))
    }

    private func mac(
        of value: [UInt8], _ algorithm: HashAlgorithm = .sha1
    ) throws(Failure) -> [UInt8] {
        guard let macKey else { throw .keyNeeded }
        guard macKey.byteCount <= Seed.maximumByteCount else { throw .malformedKey }
        return try inMemory(try macKey.mac(of: value, algorithm: algorithm))
    }

    private func decrypt(_ value: PSKCEncryptedValue) throws(Failure) -> SecureBytes {
        guard !value.isTripleDES, !protection.hasTripleDESKey else { throw .tripleDES }
        if case .unusable(let failure) = protection.encryptionKey { throw failure }
        guard let cipher = value.cipher else { throw .unsupportedEncryption }
        // Key wrap needs no MAC: python-pskc writes a MACMethod without a method there.
        guard protection.macMethod != .unsupported || cipher.checksItself && value.mac == nil else {
            throw .unsupportedEncryption
        }
        guard let key else { throw .keyNeeded }
        try verify(value, cipher)
        return try decrypted(value.bytes, cipher, key)
    }

    /// RFC 6030 §6.1: AES-CBC needs a MAC; key wrap checks itself and may have one too.
    private func verify(_ value: PSKCEncryptedValue, _ cipher: PSKCCipher) throws(Failure) {
        if cipher.checksItself, value.mac == nil { return }
        guard let mac = value.mac, case .hmac(let algorithm, _) = protection.macMethod else {
            throw .missingMAC
        }
        guard isEqualInConstantTime(mac, try self.mac(of: value.bytes, algorithm)) else {
            throw .wrongKey
        }
    }
}

private func decrypted(
    _ value: [UInt8], _ cipher: PSKCCipher, _ key: PSKCKey
) throws(Failure) -> SecureBytes {
    guard key.byteCount == cipher.keyByteCount else { throw .malformedKey }
    guard let clear = try inMemory(try key.decrypt(value, cipher: cipher)) else { throw .wrongKey }
    return clear
}

private func encryptionKey(
    _ protection: PSKCProtection, _ secret: borrowing SecureBytes
) throws(Failure) -> PSKCKey {
    switch protection.encryptionKey {
    case .derived(let parameters, let declared):
        let count = declared ?? protection.macKey?.cipher?.keyByteCount ?? 16
        return try inMemory(
            try PSKCKey(password: secret, parameters: parameters, byteCount: count))
    case .none, .preShared, .unusable:
        guard let key = try preSharedKey(secret) else { throw .malformedKey }
        return key
    }
}

/// The key that hexadecimal digits spell; nil for other text.
func preSharedKey(_ secret: borrowing SecureBytes) throws(Failure) -> PSKCKey? {
    try secret.read { (text) throws(Failure) -> PSKCKey? in
        guard let bytes = try inMemory(try SecureBytes.decoding(text, as: .hexadecimal)) else {
            return nil
        }
        return PSKCKey(bytes)
    }
}

private func authenticationKey(
    _ protection: PSKCProtection, _ key: PSKCKey
) throws(Failure) -> PSKCKey? {
    guard case .hmac(_, let value) = protection.macMethod else { return nil }
    guard let value else { return key }
    guard let cipher = value.cipher else { throw .unsupportedEncryption }
    // The MAC key has no MAC of its own: a wrong key shows as bad padding here.
    return PSKCKey(try decrypted(value.bytes, cipher, key))
}

extension PSKCCipher {
    /// RFC 3394 §2.2.3: a wrong key or a changed value shows.
    fileprivate var checksItself: Bool { if case .keyWrap = self { true } else { false } }
}
