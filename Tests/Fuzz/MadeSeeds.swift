// Seeds for the formats that have no vector files: written by the encoders themselves.
import Linux
import OTP

@testable import Activation
@testable import Keystore
@testable import SoftTokenCore

let requestSeed = Array(
    EnrolmentRequest(publicKey: [UInt8](repeating: 9, count: 32)).text.utf8)

let issuerFileSeed: [UInt8] = {
    guard let key = VerifyingKey([UInt8](repeating: 3, count: 32)),
        let file = IssuerFile(name: "Example Token Authority", key: key)
    else { fatalError("a name and a key") }
    return file.bytes
}()

let metadataSeeds: [[UInt8]] = [0, 1, 3, 8].map { count in
    var metadata = Metadata()
    metadata.tokens = (0..<count).map(token)
    if count > 1, let key = VerifyingKey([UInt8](repeating: 3, count: 32)) {
        metadata.issuers = [TrustedIssuer(key: key, name: "Example Token Authority")]
    }
    let content = metadata.encoded.dropFirst(4)
    return [0] + content.prefix(32 + 150 * count)
}

private func token(_ index: Int) -> TokenMetadata {
    guard let digits = DigitCount(6 + index % 3) else { fatalError("6 to 8 digits") }
    let algorithm = HashAlgorithm.allCases[index % 3]
    return TokenMetadata(
        id: UInt64(index + 1), slot: UInt32(index), name: "Token \(index)", issuer: "Clinic",
        account: "dr.lee", serial: index % 2 == 0 ? nil : "ST-1",
        parameters: TokenParameters(
            algorithm: algorithm, digits: digits,
            factor: index % 2 == 0 ? .time(stepSeconds: 30) : .counter(UInt64(index))),
        activatedUnixSeconds: 1_750_000_000, pendingUntilUnixSeconds: nil,
        expiresUnixSeconds: 1_900_000_000, origin: .signed, warnings: .shortSeed,
        policy: TokenPolicy(attempts: 5, sessionSeconds: 60, separation: .strict))
}

let logSeeds: [[UInt8]] = [Array(logLines(12).joined(separator: [0x0A]))]

private func logLines(_ count: Int) -> [[UInt8]] {
    (0..<count).map { index in
        let event = AuditEvent.allCases[index % AuditEvent.allCases.count]
        let entry = AuditEntry(
            event, AuditOutcome.allCases[index % 4], tokenID: index % 3 == 0 ? nil : 7,
            detail: "signed link")
        return entry.line(
            sequence: UInt64(index + 1), unixSeconds: 1_750_000_000 + Int64(index) * 90_061)
    }
}

let logHeadSeeds: [[UInt8]] = {
    let fields = [0, 0, 3, 0, 400, 1_750_000_000].map { bigEndian(UInt64($0)) }
    let mac = [UInt8](repeating: 0, count: 32)
    let content = fields[0] + mac + fields[1] + fields[2] + mac + fields[4] + fields[5]
    return [content + logSeeds[0]]
}()

let usedLinksSeeds: [[UInt8]] = [0, 1, 3].map { count in
    (0..<count).flatMap { index in
        [UInt8](repeating: UInt8(index), count: 32) + bigEndian(Int64(1_750_000_000))
            + bigEndian(UInt64(index))
    }
}
