// What the tests of the issuer share: files in a folder of their own, vectors, keys in hexadecimal.
import Foundation
import Keystore
import KeystoreIssuer
import Linux
import OTP

@testable import softtoken_issuer

/// A folder that goes with the test.
final class Folder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "issuer-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a private file and returns its path.
    func file(_ name: String, _ text: String) throws -> String {
        let file = path + "/" + name
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
        return file
    }

    func text(_ name: String) throws -> String {
        try String(contentsOfFile: path + "/" + name, encoding: .utf8)
    }

    var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
    }
}

enum Vectors {
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("shared/vectors")

    /// Whether the shared vectors are beside this checkout; the tests that need them say so else.
    static let arePresent = FileManager.default.fileExists(atPath: folder.path)

    static func figure(_ number: Int) throws -> String {
        try String(
            contentsOf: folder.appendingPathComponent("pskc/pskc-figure\(number).xml"),
            encoding: .utf8)
    }
}

/// Guarded memory with these bytes.
func secret(_ bytes: [UInt8]) throws -> SecureBytes { try SecureBytes(copying: bytes.span) }
func secret(hexadecimal text: String) throws -> SecureBytes {
    guard let bytes = TextAlphabet.hexadecimal.bytes(Array(text.filter { $0 != " " }.utf8)) else {
        throw Failure(.usage, "not hexadecimal")
    }
    return try secret(bytes)
}

func octets(_ hexadecimal: String) -> [UInt8] {
    TextAlphabet.hexadecimal.bytes(Array(hexadecimal.filter { $0 != " " }.utf8)) ?? []
}

func octets(_ secret: borrowing SecureBytes) -> [UInt8] {
    secret.read { bytes in bytes.indices.map { bytes[$0] } }
}

func octets(ifAny secret: borrowing SecureBytes?) -> [UInt8]? {
    switch secret {
    case nil: nil
    case .some(let secret): octets(secret)
    }
}

/// What base64 spells; nil for text that spells nothing.
func decoded(_ text: [UInt8]) throws -> [UInt8]? {
    guard let bytes = try SecureBytes.decoding(base64: text.span) else { return nil }
    return octets(bytes)
}

/// Writes what is remembered of the token S1, changed, and whom it is bound to.
func remember(
    _ path: String, account: String? = nil, _ change: (inout VerifierState) -> Void
) throws(Failure) {
    let held = try HeldRecords(path, .serial("S1"), secret: nil, at: 0)
    var state = held.record.state
    change(&state)
    try held.remember(state, account: account)
}

/// HOTP or TOTP with SHA-1 and six digits.
func parameters(_ factor: MovingFactor = .counter(0)) -> TokenParameters {
    TokenParameters(algorithm: .sha1, digits: DigitCount(6)!, factor: factor)
}

func maker(issuer: String = "Clinic") throws -> LinkMaker {
    LinkMaker(
        key: try IssuerKey(name: issuer, signingKey: SigningKey()), carrier: .activate,
        validSeconds: 3600)
}

/// The rows of a table.
func rows(_ bytes: [UInt8]) throws -> [CSVRow] {
    let folder = try Folder()
    let path = folder.path + "/r.csv"
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    var reader = try CSVReader(named: path)
    var rows: [CSVRow] = []
    while let row = try reader.next() { rows.append(row) }
    guard reader.byteCount == bytes.count else { throw Failure(.fault, "all of it is read") }
    return rows
}

extension CSVRow {
    /// nil for a row that is none.
    var texts: [String]? { try? fields.get() }
}

/// The key packages of a PSKC text and what protects them.
func packages(of text: String) throws -> (keys: [PSKCKeyPackage], outline: PSKCOutline) {
    try packages(of: Array(text.utf8))
}

func packages(of bytes: [UInt8]) throws -> (keys: [PSKCKeyPackage], outline: PSKCOutline) {
    let folder = try Folder()
    let path = folder.path + "/file.xml"
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    var keys: [PSKCKeyPackage] = []
    let outline = try readKeys(openInput(path)) { package, _ in keys.append(package) }
    return (keys, outline)
}

/// A container with one HOTP key (the seed of RFC 4226 Appendix D) and this policy and state.
func container(policy: String = "", data: String = "", algorithm: String = "hotp") -> String {
    """
    <?xml version="1.0"?>
    <KeyContainer Version="1.0" xmlns="urn:ietf:params:xml:ns:keyprov:pskc">
      <KeyPackage><DeviceInfo><SerialNo>S1</SerialNo></DeviceInfo>
        <Key Id="K1" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:\(algorithm)">
          <AlgorithmParameters><ResponseFormat Length="6" Encoding="DECIMAL"/>
          </AlgorithmParameters>
          <Data><Secret><PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</PlainValue></Secret>\(data)</Data>
          \(policy.isEmpty ? "" : "<Policy>\(policy)</Policy>")
        </Key></KeyPackage>
    </KeyContainer>
    """
}
