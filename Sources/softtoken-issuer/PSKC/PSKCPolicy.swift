// What a key may be used for: RFC 6030 §5. A policy that is not known, or that can't be kept, means
// that the key is not used.

/// When a token ended that `records revoke` ended: PSKC has no word for it, and no clock that is put
/// back is before this.
let revokedUnixSeconds: Int64 = 0

/// What is to be done with a key.
enum KeyPurpose: Sendable {
    /// The token is somewhere else: its OTPs are checked.
    case verifying
    /// The token is to become a soft token.
    case link
}

/// A key's policy.
struct PSKCPolicy: Sendable {
    /// Seconds since 1970.
    private(set) var startUnixSeconds: Int64?
    private(set) var expiryUnixSeconds: Int64?
    /// The PIN's `MaxFailedAttempts`.
    private(set) var attempts: Int?
    private var usages: [String] = []
    private var isUnknown = false
    private var hasTransactions = false
    private var pinAllows: (verifying: Bool, link: Bool) = (true, true)

    init(_ policy: XMLElement?, device: XMLElement?) {
        for element in policy?.children ?? [] { add(element) }
        for local in ["StartDate", "ExpiryDate"] {
            if let date = device?.child(local) { add(date) }
        }
    }

    /// - Throws: `Failure`: which part of the policy keeps the key from being used.
    func check(for purpose: KeyPurpose, at unixSeconds: Int64) throws(Failure) {
        guard !isUnknown else { throw .unknownPolicy }
        guard usages.isEmpty || usages.contains("OTP") else { throw .notForOTP }
        guard !hasTransactions else { throw .transactions }
        guard purpose == .verifying ? pinAllows.verifying : pinAllows.link else { throw .pin }
        guard startUnixSeconds.map({ $0 <= unixSeconds }) ?? true else { throw .notYetValid }
        if let expiryUnixSeconds, unixSeconds >= expiryUnixSeconds {
            throw .ended(atUnixSeconds: expiryUnixSeconds)
        }
    }
}

extension PSKCPolicy {
    func allows(_ purpose: KeyPurpose, at unixSeconds: Int64) -> Bool {
        (try? check(for: purpose, at: unixSeconds)) != nil
    }

    private mutating func reject() { isUnknown = true }

    private mutating func add(_ element: XMLElement) {
        guard element.name.namespace == Namespace.pskc else { return reject() }
        switch element.name.local {
        case "StartDate":
            guard let date = unixSeconds(element.trimmedText) else { return reject() }
            startUnixSeconds = max(startUnixSeconds ?? date, date)
        case "ExpiryDate":
            guard let date = unixSeconds(element.trimmedText) else { return reject() }
            expiryUnixSeconds = min(expiryUnixSeconds ?? date, date)
        case "KeyUsage": usages.append(element.trimmedText)
        case "NumberOfTransactions": hasTransactions = true
        case "PINPolicy": addPIN(element)
        default: isUnknown = true
        }
    }

    /// RFC 6030 §5: a local PIN is the device's own business; SoftToken's has four decimal digits,
    /// and the user sets it, so that one that another key holds (`PINKeyId`) can't be kept.
    private mutating func addPIN(_ element: XMLElement) {
        let known = [
            "PINKeyId", "PINUsageMode", "MaxFailedAttempts", "MinLength", "MaxLength",
            "PINEncoding",
        ]
        guard element.attributes.keys.allSatisfy({ known.contains($0.local) && $0.namespace == "" })
        else { return reject() }
        let isLocal = element.attribute("PINUsageMode").map { $0 == "Local" } ?? true
        pinAllows.verifying = isLocal
        pinAllows.link = isLocal && isFourDigits(element) && element.attribute("PINKeyId") == nil
        guard let limit = element.attribute("MaxFailedAttempts") else { return }
        guard let limit = Int(limit), limit >= 3 else {
            pinAllows.link = false
            return
        }
        attempts = min(limit, 10)
    }

    private func isFourDigits(_ element: XMLElement) -> Bool {
        let least = element.attribute("MinLength").map { Int($0) ?? .max } ?? 4
        let most = element.attribute("MaxLength").map { Int($0) ?? 0 } ?? 4
        let encoding = element.attribute("PINEncoding") ?? "DECIMAL"
        return least <= 4 && 4 <= most && encoding == "DECIMAL"
    }
}
