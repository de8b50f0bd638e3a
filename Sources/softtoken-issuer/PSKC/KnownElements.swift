// What of a PSKC file can hold no seed in the clear: RFC 6030's own elements and attributes, with the
// seeds encrypted. Whatever else stands there might be one. Bound by RFC 6030 §11 and RECORDS.md §8.

/// The elements that may stand in one; in those that aren't named here stands text alone.
private let knownChildren: [String: Set<String>] = [
    "KeyPackage": ["DeviceInfo", "CryptoModuleInfo", "Key"],
    "DeviceInfo": [
        "Manufacturer", "SerialNo", "Model", "IssueNo", "DeviceBinding", "StartDate", "ExpiryDate",
        "UserId",
    ],
    "CryptoModuleInfo": ["Id"],
    "Key": [
        "Issuer", "AlgorithmParameters", "KeyProfileId", "KeyReference", "FriendlyName", "Data",
        "UserId", "Policy",
    ],
    "AlgorithmParameters": ["Suite", "ChallengeFormat", "ResponseFormat"],
    "Data": ["Secret", "Counter", "Time", "TimeInterval", "TimeDrift"],
    "Secret": ["EncryptedValue", "ValueMAC"],
    "Counter": ["PlainValue"], "Time": ["PlainValue"], "TimeInterval": ["PlainValue"],
    "TimeDrift": ["PlainValue"],
    "Policy": ["StartDate", "ExpiryDate", "PINPolicy", "KeyUsage", "NumberOfTransactions"],
]

private let knownAttributes: Set<String> = [
    "Id", "Version", "Algorithm", "Encoding", "Length", "Min", "Max", "CheckDigits", "PINKeyId",
    "PINUsageMode", "MaxFailedAttempts", "MinLength", "MaxLength", "PINEncoding",
]

extension XMLElement {
    /// Whether it and all that is in it is known, of a file whose Secrets are encrypted by us.
    var hasNoPlainSeed: Bool {
        // Its content is XML Encryption's, as we write it.
        if name == XMLName("EncryptedValue") { return true }
        let known = knownChildren[name.local] ?? []
        return hasKnownAttributes && (known.isEmpty || trimmedText.isEmpty)
            && children.allSatisfy { child in
                child.name.namespace == Namespace.pskc && known.contains(child.name.local)
                    && child.hasNoPlainSeed
            }
    }

    /// Whether RFC 6030 has its attributes.
    var hasKnownAttributes: Bool {
        attributes.keys.allSatisfy { $0.namespace.isEmpty && knownAttributes.contains($0.local) }
    }
}
