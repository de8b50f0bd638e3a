// One key package of a PSKC file, as it is written there; what it means for a token is asked for
// member by member, because a file may hold keys that are no tokens. Bound by RFC 6030 §4, §10.
import Keystore
import Linux
import OTP

/// A value that may be encrypted.
enum PSKCValue: Equatable, Sendable {
    case plain([UInt8])
    case encrypted(PSKCEncryptedValue)
}

/// A key package.
struct PSKCKeyPackage: Sendable {
    /// All of it.
    let element: XMLElement
    let key: XMLElement
    let id: String
    /// The serial on the device; the key's Id for a file without one.
    let serial: String
    let issuer: String?
    let algorithm: String?
    let policy: PSKCPolicy
    /// RFC 6030 §4.3.1: it has a maker. What this program writes for soft tokens names none.
    let isHard: Bool
    /// Whom the key is for.
    let account: String?
    /// An element that stands twice where one may.
    var repeated: String? { repeatedElement(element) }

    /// - Returns: nil without a key or an Id, or with two keys: RFC 6030's schema has one.
    init?(_ package: XMLElement) {
        let keys = package.children.filter { $0.name == XMLName("Key") }
        guard keys.count == 1, let id = keys[0].attribute("Id") else { return nil }
        let device = package.child("DeviceInfo")
        element = package
        key = keys[0]
        self.id = id
        let serial = device?.child("SerialNo")?.trimmedText ?? ""
        self.serial = serial.isEmpty ? id : serial
        issuer = key.child("Issuer")?.trimmedText
        algorithm = key.attribute("Algorithm")
        isHard = device?.child("Manufacturer") != nil
        policy = PSKCPolicy(key.child("Policy"), device: device)
        let user = (key.child("UserId") ?? device?.child("UserId"))?.trimmedText ?? ""
        account = user.isEmpty ? nil : accountOfUserID(user)
    }

    /// Whether it is for OTPs at all: a file may hold PINs and other keys.
    var isToken: Bool {
        algorithm == Namespace.pskc + ":hotp" || algorithm == Namespace.pskc + ":totp"
    }

    var isOCRA: Bool { algorithm?.lowercased().holds("ocra") == true }

    var data: XMLElement? { key.child("Data") }

    /// - Returns: nil where there is none.
    func value(_ local: String) throws(Failure) -> PSKCValue? {
        guard let element = data?.child(local) else { return nil }
        guard let value = PSKCValue(element) else { throw .malformedValue(local) }
        return value
    }

    /// - Returns: nil where there is none.
    func number(_ local: String, _ keyring: PSKCKeyring) throws(Failure) -> Int64? {
        guard let value = try value(local) else { return nil }
        guard let number = try keyring.number(value) else { throw .malformedValue(local) }
        return number
    }
}

// MARK: What the key means for a token

extension PSKCKeyPackage {
    /// The OTP parameters; the moving factor is the record's own.
    ///
    /// - Parameter keyring: opens encrypted counters and intervals.
    func parameters(_ keyring: PSKCKeyring) throws(Failure) -> TokenParameters {
        if let repeated { throw .repeatedElement(repeated) }
        let factor: MovingFactor
        switch algorithm {
        case Namespace.pskc + ":hotp":
            let counter = try number("Counter", keyring) ?? 0
            guard (0...lastCounter + 1).contains(counter) else { throw .malformedValue("Counter") }
            guard counter <= lastCounter else { throw .counterAtEnd }
            factor = .counter(UInt64(counter))
        case Namespace.pskc + ":totp":
            let seconds = try number("TimeInterval", keyring) ?? 30
            guard (1...3600).contains(seconds) else { throw .malformedValue("TimeInterval") }
            factor = .time(stepSeconds: Int(seconds))
        default: throw isOCRA ? .ocra : .unsupportedAlgorithm
        }
        return TokenParameters(algorithm: try hash(), digits: try digits(), factor: factor)
    }

    private func hash() throws(Failure) -> HashAlgorithm {
        let element = key.child("AlgorithmParameters")?.child("Suite")
        let suite = element?.trimmedText ?? ""
        // privacyIDEA's export says it in an attribute, which RFC 6030 doesn't have.
        guard !suite.isEmpty || element?.attributes.isEmpty ?? true else { throw .unsupportedSuite }
        return switch suite.uppercased().filter({ $0 != "-" }) {
        case "", "SHA1", "HMACSHA1": .sha1
        case "SHA256", "HMACSHA256": .sha256
        case "SHA512", "HMACSHA512": .sha512
        default: throw .unsupportedSuite
        }
    }

    private func digits() throws(Failure) -> DigitCount {
        guard let format = key.child("AlgorithmParameters")?.child("ResponseFormat") else {
            throw .unsupportedResponse
        }
        guard let encoding = format.attribute("Encoding") else { throw .missingEncoding }
        guard encoding == "DECIMAL",
            ["false", "0", nil].contains(format.attribute("CheckDigits")),
            let length = format.attribute("Length").flatMap({ Int($0) }),
            let digits = DigitCount(length)
        else { throw .unsupportedResponse }
        return digits
    }

    /// The seed, in guarded memory.
    func seed(_ keyring: PSKCKeyring) throws(Failure) -> Seed {
        guard let value = try value("Secret") else { throw .noSecret }
        return try keyring.seed(value)
    }
}

extension PSKCValue {
    /// - Returns: nil for neither a plain value nor an encrypted one, or both.
    fileprivate init?(_ element: XMLElement) {
        let plain = element.child("PlainValue")
        let encrypted = element.child("EncryptedValue")
        switch (plain, encrypted) {
        case (let plain?, nil): self = .plain(Array(plain.trimmedText.utf8))
        case (nil, let encrypted?):
            let mac = element.child("ValueMAC")
            guard let value = PSKCEncryptedValue(encrypted, mac: mac) else { return nil }
            self = .encrypted(value)
        default: return nil
        }
    }
}

/// The first element that stands twice beside itself where RFC 6030's schema has one. The first of
/// two would be read, and another reader may take the second.
private func repeatedElement(_ parent: XMLElement) -> String? {
    var names: Set<String> = []
    for child in parent.children where child.name.namespace == Namespace.pskc {
        let mayRepeat = ["FriendlyName", "KeyUsage", "Extensions"].contains(child.name.local)
        guard mayRepeat || names.insert(child.name.local).inserted else { return child.name.local }
        if let repeated = repeatedElement(child) { return repeated }
    }
    return nil
}
