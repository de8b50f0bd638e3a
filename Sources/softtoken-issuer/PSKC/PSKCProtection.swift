// How a PSKC file's values are encrypted and authenticated, as the file says it: RFC 6030 §6, XML
// Encryption, PKCS #5. Nothing is decrypted here.
import Keystore
import KeystoreIssuer
import Linux
import OTP

/// An encrypted value with its MAC.
struct PSKCEncryptedValue: Equatable, Sendable {
    /// The algorithm's URI.
    let algorithm: String
    let bytes: [UInt8]
    let mac: [UInt8]?
}

extension PSKCEncryptedValue {
    /// - Returns: nil for what is no EncryptedDataType with a CipherValue.
    init?(_ element: XMLElement, mac: XMLElement?) {
        guard
            let method = element.child("EncryptionMethod", in: Namespace.encryption),
            let algorithm = method.attribute("Algorithm"),
            let value = element.child("CipherData", in: Namespace.encryption)?
                .child("CipherValue", in: Namespace.encryption),
            let bytes = publicBase64(value.text)
        else { return nil }
        let macBytes = mac.map { publicBase64($0.text) } ?? .some(nil)
        guard let macBytes else { return nil }
        self.init(algorithm: algorithm, bytes: bytes, mac: macBytes)
    }

    /// Triple DES, whatever the mode: not supported, because NIST SP 800-131A disallows it.
    var isTripleDES: Bool {
        algorithm.hasPrefix(Namespace.encryption) && algorithm.holds("tripledes")
    }

    /// nil for an algorithm that isn't supported.
    var cipher: PSKCCipher? {
        for (name, count) in [("128", 16), ("192", 24), ("256", 32)] {
            if algorithm == Namespace.encryption + "aes\(name)-cbc" {
                return .cbc(keyByteCount: count)
            }
            if algorithm == Namespace.encryption + "kw-aes\(name)"
                || algorithm == Namespace.encryption11 + "kw-aes-\(name)-pad"
            {
                return .keyWrap(keyByteCount: count)
            }
        }
        return nil
    }
}

/// What the container says about its encryption.
struct PSKCProtection: Equatable, Sendable {
    /// Of the MAC key that new records are written with: HMAC-SHA-1's block is longer, its tag as long.
    static let macKeyByteCount = 20

    enum EncryptionKey: Equatable, Sendable {
        case none
        /// A key that both sides have.
        case preShared
        case derived(PBKDF2Parameters, keyByteCount: Int?)
        /// A certificate, a derivation that isn't PBKDF2, or one with more rounds than are done here.
        case unusable(Failure)
    }

    enum MACMethod: Equatable, Sendable {
        case none
        /// Without a key of its own the encryption key is used.
        case hmac(HashAlgorithm, key: PSKCEncryptedValue?)
        case unsupported
    }

    private(set) var encryptionKey = EncryptionKey.none
    private(set) var macMethod = MACMethod.none

    /// The encrypted MAC key.
    var macKey: PSKCEncryptedValue? { if case .hmac(_, let key) = macMethod { key } else { nil } }

    /// Whether its MAC key can't be opened for being encrypted with Triple DES.
    var hasTripleDESKey: Bool { macKey?.isTripleDES == true }

    /// Whether there is anything to unlock.
    var isEncrypted: Bool { encryptionKey != .none }

    /// Takes the container's EncryptionKey or MACMethod.
    mutating func add(_ element: XMLElement) {
        if element.name.local == "MACMethod" {
            macMethod = PSKCProtection.method(element)
        } else if let derived = element.child("DerivedKey", in: Namespace.encryption11)
            ?? element.child("DerivedKey")
        {
            encryptionKey = PSKCProtection.derivation(derived)
        } else {
            // An empty element, as python-pskc writes it, is a key that has no name.
            let isPreShared =
                element.children.isEmpty
                || element.child("KeyName", in: Namespace.signature) != nil
            encryptionKey = isPreShared ? .preShared : .unusable(.unsupportedEncryption)
        }
    }

    private static func method(_ element: XMLElement) -> MACMethod {
        let algorithms: [String: HashAlgorithm] = [
            Namespace.signature + "hmac-sha1": .sha1,
            moreSignatures + "hmac-sha256": .sha256, moreSignatures + "hmac-sha512": .sha512,
        ]
        guard let algorithm = element.attribute("Algorithm").flatMap({ algorithms[$0] }),
            element.child("MACKeyReference") == nil
        else { return .unsupported }
        guard let key = element.child("MACKey") else {
            return .hmac(algorithm, key: nil)
        }
        guard let value = PSKCEncryptedValue(key, mac: nil) else { return .unsupported }
        return .hmac(algorithm, key: value)
    }

    /// PKCS #5's parameters stand without a namespace in RFC 6030's own figure, and with one in
    /// XML Encryption 1.1: local names are what both have.
    private static func derivation(_ element: XMLElement) -> EncryptionKey {
        guard let method = element.anyChild("KeyDerivationMethod"),
            [Namespace.pkcs5 + "pbkdf2", Namespace.encryption11 + "pbkdf2"]
                .contains(method.attribute("Algorithm")),
            let values = method.anyChild("PBKDF2-params"),
            let salt = values.anyChild("Salt")?.anyChild("Specified")
                .flatMap({ publicBase64($0.text) }),
            let count = values.anyChild("IterationCount").flatMap({ Int($0.trimmedText) }),
            let algorithm = pseudorandomFunction(values.anyChild("PRF"))
        else { return .unusable(.unsupportedEncryption) }
        guard count <= PBKDF2Parameters.iterations.upperBound else {
            return .unusable(.tooManyRounds)
        }
        let length = values.anyChild("KeyLength").map { Int($0.trimmedText) ?? 0 }
        guard [nil, 16, 24, 32].contains(length),
            let parameters = PBKDF2Parameters(
                salt: salt, iterationCount: count, algorithm: algorithm)
        else { return .unusable(.unsupportedEncryption) }
        return .derived(parameters, keyByteCount: length)
    }

    /// PKCS #5's default is HMAC-SHA-1.
    private static func pseudorandomFunction(_ element: XMLElement?) -> HashAlgorithm? {
        guard let name = element?.attribute("Algorithm")?.lowercased() else { return .sha1 }
        return HashAlgorithm.allCases.first { algorithm in
            ["hmac-", "hmacwith"].contains { name.hasSuffix($0 + algorithm.name.lowercased()) }
        }
    }
}

private let moreSignatures = "http://www.w3.org/2001/04/xmldsig-more#"

extension XMLElement {
    fileprivate func anyChild(_ local: String) -> XMLElement? {
        children.first { $0.name.local == local }
    }
}

/// base64 of what is public: ciphertexts, MACs and salts.
func publicBase64(_ text: [UInt8]) -> [UInt8]? {
    guard let bytes = try? SecureBytes.decoding(base64: text.span) else { return nil }
    return bytes.read { bytes in bytes.indices.map { bytes[$0] } }
}
