// The first inputs of each target, made at run time from the vectors that the tests have.
import Glibc
import Keystore
import KeystoreIssuer
import Linux
import OTP

/// Writes FOLDER/TARGET/NUMBER for each seed.
func writeSeeds(ofPackage package: String, to folder: String) {
    let vectors = VectorFiles(package: package)
    let seeds: [String: [[UInt8]]] = [
        "link": vectors.links + someLinks, "mail": vectors.mails,
        "mail-time": vectors.mails.map(asRepetition) + [closingBrackets],
        "signed": vectors.payloads,
        "pairs": (0..<14).flatMap { form in (0..<14).map { [0, 1, $0, form, 2, 4, $0, 13] } },
        "breaks": (0..<7).map { [$0, 60, 0, 79, 1, 79, 2, 79, 3, 79, 3] },
        "json": vectors.headers + vectors.payloads, "issuer-file": [issuerFileSeed],
        "policy": [Array(#"{"attempts":5,"session":60,"separation":"strict"}"#.utf8)]
            + [Array(#"{"unsigned":false,"remote":true}"#.utf8)],
        "request": [requestSeed, [1] + [UInt8](repeating: 9, count: 32)],
        "code": ["ABCDE-FGHJK", "oil00 11111"].map { Array($0.utf8) },
        "record": vectors.records, "system": systemSeeds,
        "header": vectors.keystores.map { Array($0.prefix(96)) },
        "public-section": vectors.keystores.map(publicSection),
        "metadata": metadataSeeds, "keystore": vectors.keystores.map { $0.dropLast(64) },
        "attempts": vectors.attempts.map { Array($0.dropFirst(24).prefix(56)) + $0.dropFirst(24) },
        "state-files": vectors.stateFiles, "log": logSeeds, "log-head": logHeadSeeds,
        "used-links": usedLinksSeeds, "pskc": vectors.containers + [containerSeed, prefixSeed],
        "csv": [
            "account,serial,type\r\ndr.ann@example.org,S-1,totp\r\n\"a,\"\"b\"\"\",,hotp\n",
            "\u{FEFF}account\n\"two\nlines\"\n",
        ].map { Array($0.utf8) },
    ]
    makeFolder(folder)
    for target in allTargets {
        makeFolder("\(folder)/\(target.name)")
        for (number, seed) in (seeds[target.name] ?? []).enumerated() {
            write(seed, to: "\(folder)/\(target.name)/\(number)")
        }
    }
}

private func asRepetition(_ mail: [UInt8]) -> [UInt8] {
    [120, 60] + mail.prefix(400)
}

/// Found by this fuzzer's makers before it ran: the whole link was searched for each bracket.
private let closingBrackets = [11, 1] + Array("otpauth://a)".utf8)

private func publicSection(_ keystore: [UInt8]) -> [UInt8] {
    Array(keystore.dropFirst(200).prefix(256))
}

private let someLinks: [[UInt8]] = [
    "otpauth://totp/Example:dr.lee?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Example",
    "otpauth://hotp/Example%20Clinic:a?secret=GEZDGNBVGY3TQOJQ&counter=5&digits=8"
        + "&algorithm=SHA512",
    "otpauth://totp/a?secret=GEZDGNBVGY3TQOJQ&2step_salt=8&2step_output=20"
        + "&2step_difficulty=1000",
    "https://eur01.safelinks.protection.outlook.com/?url=otpauth%3A%2F%2Ftotp%2Fa%3Fsecret"
        + "%3DGEZDGNBVGY3TQOJQ&data=x",
    "https://urldefense.com/v3/__https://a.example/*softtoken=x__;Iw!!a!b$",
].map { Array($0.utf8) }

private let systemSeeds: [[UInt8]] = [
    "\u{0}5f0c9be2d14a4c7fb3a86d0275e91b48\n", "\u{0}4c4c4544-0042-3510-8054-b4c04f4e4d32",
    "\u{0}22 27 0:21 / / rw,relatime - ext4 /dev/vda1 rw\n", "\u{0}1 (a b) S 0 0 0 0",
    "\u{0}02:fc:00:00:00:01\n",
].map { Array($0.utf8) }

private let containerSeed = Array(
    """
    <?xml version="1.0"?>
    <KeyContainer Version="1.0" xmlns="urn:ietf:params:xml:ns:keyprov:pskc">
    <KeyPackage><DeviceInfo><SerialNo>S1</SerialNo></DeviceInfo>
    <Key Id="K1" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:totp"><AlgorithmParameters>
    <Suite>HMAC-SHA256</Suite><ResponseFormat Length="6" Encoding="DECIMAL"/>
    </AlgorithmParameters><Data><Secret><PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</PlainValue>
    </Secret><TimeInterval><PlainValue>30</PlainValue></TimeInterval></Data>
    <UserId>UID=dr.ann</UserId><Policy><ExpiryDate>2030-01-01T00:00:00Z</ExpiryDate>
    <PINPolicy MaxFailedAttempts="5" PINUsageMode="Local"/></Policy></Key></KeyPackage>
    </KeyContainer>
    """.utf8)

/// Data has a prefix of its own.
private let prefixSeed = Array(
    """
    <KeyContainer Version="1.0" xmlns="urn:ietf:params:xml:ns:keyprov:pskc"><KeyPackage><Key Id="K"
    Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:hotp"><AlgorithmParameters><ResponseFormat
    Length="6" Encoding="DECIMAL"/></AlgorithmParameters>
    <d:Data xmlns:d="urn:ietf:params:xml:ns:keyprov:pskc"><d:Secret><d:PlainValue
    >MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</d:PlainValue></d:Secret></d:Data></Key></KeyPackage>
    </KeyContainer>
    """.utf8)

/// The files of Tests and Keystore that hold vectors, taken apart.
private struct VectorFiles {
    let links: [[UInt8]]
    let mails: [[UInt8]]
    let records: [[UInt8]]
    let containers: [[UInt8]]
    private let keystoreFiles: [(name: String, bytes: [UInt8])]

    init(package: String) {
        links = files("\(package)/Tests/ActivationTests/Vectors", ".txt").map { file in
            guard let end = file.firstRange(of: [0x0A, 0x0A]) else { return [] }
            return Array(file[end.upperBound...].dropLast())
        }
        mails = files("\(package)/Tests/ActivationTests/Mails", ".eml")
        records = files("\(package)/Tests/DeviceTests/Vectors", ".txt").flatMap { file in
            lines(file).filter { $0.starts(with: Array("text ".utf8)) }
                .compactMap { TextAlphabet.hexadecimal.bytes(Array($0.dropFirst(5))) }
        }
        containers = files("\(package)/../shared/vectors/pskc", ".xml")
        keystoreFiles = files("\(package)/Keystore/Vectors", ".txt").flatMap(filesOfVector)
    }

    var headers: [[UInt8]] { links.compactMap { part(0, of: $0) } }
    var payloads: [[UInt8]] { links.compactMap { part(1, of: $0) } }
    var keystores: [[UInt8]] { named("data/keystore").filter { $0.count > 264 } }
    var attempts: [[UInt8]] { named("state/attempts") }

    var stateFiles: [[UInt8]] {
        StateFile.allCases.enumerated().flatMap { index, file in
            let isChecksum = [.deviceKey, .logKey, .request].contains(file)
            return named("state/\(file.rawValue)").flatMap { (bytes: [UInt8]) -> [[UInt8]] in
                let content = Array(bytes.dropLast(isChecksum ? 16 : 32))
                return [[UInt8(index), 0] + bytes, [UInt8(index), 1] + content]
            }
        }
    }

    private func named(_ name: String) -> [[UInt8]] {
        Array(Set(keystoreFiles.filter { $0.name == name }.map(\.bytes)))
    }
}

/// `file FOLDER/NAME MODE` and its bytes in base64: Keystore/FORMAT.md §13.
private func filesOfVector(_ vector: [UInt8]) -> [(name: String, bytes: [UInt8])] {
    var found: [(String, [UInt8])] = []
    var name: String?
    var text: [UInt8] = []
    for line in lines(vector) + [[]] {
        if line.starts(with: Array("file ".utf8)) {
            let words = line.split(separator: UInt8(ascii: " "))
            name = String(decoding: words[1], as: UTF8.self)
        } else if line.isEmpty, let named = name {
            found.append((named, base64Decoded(text) ?? []))
            name = nil
            text = []
        } else if name != nil {
            text += line
        }
    }
    return found
}

private func base64Decoded(_ text: [UInt8]) -> [UInt8]? {
    guard let bytes = try? SecureBytes.decoding(base64: text.span) else { return nil }
    return bytes.read { bytes in bytes.indices.map { bytes[$0] } }
}

/// A part of a link's JWS, decoded.
private func part(_ index: Int, of link: [UInt8]) -> [UInt8]? {
    let start = link.firstIndex(of: UInt8(ascii: "#")) ?? link.firstIndex(of: UInt8(ascii: "="))
    guard let start else { return nil }
    let parts = link[(start + 1)...].split(separator: UInt8(ascii: "."))
    guard index < parts.count else { return nil }
    let letters = parts[index].split(separator: UInt8(ascii: "=")).last ?? []
    guard let bytes = try? SecureBytes.decoding(Array(letters).span, as: .base64URL) else {
        return nil
    }
    return bytes.read { bytes in bytes.indices.map { bytes[$0] } }
}

private func lines(_ file: [UInt8]) -> [[UInt8]] {
    file.split(separator: 0x0A, omittingEmptySubsequences: false).map { Array($0) }
}

private func files(_ folder: String, _ suffix: String) -> [[UInt8]] {
    systemFolderNames(folder).filter { $0.hasSuffix(suffix) }.compactMap {
        try? readSystemFile("\(folder)/\($0)", limit: 1 << 20)
    }
}

private func makeFolder(_ path: String) {
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else { fatalError("can't make \(path)") }
}

private func write(_ bytes: [UInt8], to path: String) {
    let number = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard number >= 0 else { fatalError("can't write \(path)") }
    guard (try? Descriptor(owning: number, path: path).write(bytes.span)) != nil else {
        fatalError("can't write \(path)")
    }
}
