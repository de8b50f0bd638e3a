// The members of a signed link's `st`: parameters, the seed's box and terms, read and written.
// Bound by CONTRACT §4 and FORMAT.md §4.
package import Keystore
internal import Linux
package import OTP

/// How a signed link carries its seed.
package enum SeedBox: Equatable, Sendable {
    /// Encrypted under an activation code.
    case code(CodeBox)
    /// Sealed to a device's key.
    case device([UInt8])
}

extension SeedBox {
    init(_ object: JSONObject) throws(ActivationError) {
        guard try object.choice(.by, [("code", true), ("device", false)]) else {
            self = .device(try object.bytes(.box, count: 112...160))
            return
        }
        let salt = try object.bytes(.salt, count: 16...16)
        let operations = try object.integer(.operations, in: CodeBox.operations)
        let memoryBytes = try object.integer(.memory, in: CodeBox.memoryBytes)
        let nonce = try object.bytes(.nonce, count: 24...24)
        guard
            let box = CodeBox(
                salt: salt, operations: operations, memoryBytes: memoryBytes, nonce: nonce,
                box: try object.bytes(.box, count: 32...80))
        else { throw .rejectedMember(.box) }
        self = .code(box)
    }

    package var json: JSONValue {
        switch self {
        case .device(let box): ["by": "device", "box": .string(TextAlphabet.base64URL.text(box))]
        case .code(let box):
            [
                "by": "code", "salt": .string(TextAlphabet.base64URL.text(box.salt)),
                "ops": JSONValue(box.operations), "mem": JSONValue(box.memoryBytes),
                "nonce": .string(TextAlphabet.base64URL.text(box.nonce)),
                "box": .string(TextAlphabet.base64URL.text(box.box)),
            ]
        }
    }
}

extension TokenParameters {
    /// `period` is judged where the type is totp, `counter` where it is hotp.
    init(_ token: JSONObject) throws(ActivationError) {
        let isTimed = try token.choice(.type, [("totp", true), ("hotp", false)])
        let algorithm = try token.choice(
            .algorithm, HashAlgorithm.allCases.map { ($0.name, $0) })
        guard let digits = DigitCount(try token.integer(.digits, in: 6...8)) else {
            throw .rejectedMember(.digits)
        }
        self.init(
            algorithm: algorithm, digits: digits,
            factor: isTimed
                ? .time(stepSeconds: try token.integer(.period, in: 15...120))
                : .counter(
                    UInt64(try token.integer(.counter, in: 0...JSONValue.integers.upperBound))))
    }

    package var json: [JSONMember] {
        let (type, last): (JSONValue, JSONMember) =
            switch factor {
            case .time(let seconds): ("totp", JSONMember("period", JSONValue(seconds)))
            case .counter(let next): ("hotp", JSONMember("counter", .integer(Int64(next))))
            }
        return [
            JSONMember("type", type),
            JSONMember("algorithm", .string(algorithm.name)),
            JSONMember("digits", JSONValue(digits.value)), last,
        ]
    }
}

extension LinkTerms {
    static let recordPrefix = "softtoken:prescribing#"
    /// CONTRACT §4: 8 records of 2 KiB at most.
    static let maximumRecords = 8
    static let maximumRecordByteCount = 2 << 10

    init(_ token: JSONObject) throws(ActivationError) {
        self.init()
        if token.has(.pending) {
            pendingSeconds = try token.integer(
                .pending, in: 0...Int(JSONValue.integers.upperBound))
        }
        if token.has(.expires) { expiresUnixSeconds = try token.integer(.expires) }
        if token.has(.policy) { policy = try TokenPolicy(try token.object(.policy)) }
        if token.has(.prescribing) {
            prescribing = try LinkTerms.records(try token.value(.prescribing))
        }
    }

    private static func records(_ value: JSONValue) throws(ActivationError) -> [String] {
        guard case .array(let elements) = value, elements.count <= maximumRecords else {
            throw .rejectedMember(.prescribing)
        }
        return try elements.map { (element) throws(ActivationError) in
            guard case .string(let record) = element, isRecord(record) else {
                throw .rejectedMember(.prescribing)
            }
            return record
        }
    }

    /// Whether this may be a record; what it says is for Device to parse.
    private static func isRecord(_ record: String) -> Bool {
        let bytes = Array(record.utf8)
        let prefix = Array(recordPrefix.utf8)
        return bytes.count <= maximumRecordByteCount && bytes.starts(with: prefix)
            && bytes.count > prefix.count
            && bytes[prefix.count...].allSatisfy(TextAlphabet.base64URL.holds)
    }

    package var json: [JSONMember] {
        members([
            ("pending", pendingSeconds == 0 ? nil : JSONValue(pendingSeconds)),
            ("expires", expiresUnixSeconds.map { .integer($0) }), ("policy", policy.json),
            ("prescribing", prescribing.isEmpty ? nil : .array(prescribing.map { .string($0) })),
        ])
    }
}
