// A verifier's record as text: one KeyPackage of RFC 6030, plain, because the file is 0600 and its
// reader needs the seed. Bound by RECORDS.md §2. The XML's memory is exempt from the residue rules
// (STYLE 8): the file on disk holds the same seed in the clear.
import Linux
import OTP

/// What stands before the first package of a new file and after the last.
let recordsHead = """
    <?xml version="1.0" encoding="UTF-8"?>
    <KeyContainer Version="1.0" xmlns="\(Namespace.pskc)">
    """
let recordsTail = "\n</KeyContainer>\n"

/// The key package of a token.
///
/// - Parameter prefix: the container's, with its colon.
func recordText(_ record: TokenMetadata, _ seed: PSKCValue, prefix: String) -> [UInt8] {
    let parameters = record.state.parameters
    let isCounting = if case .counter = parameters.factor { true } else { false }
    let urn = Namespace.pskc + (isCounting ? ":hotp" : ":totp")
    var text = RecordText(prefix: prefix)
    text.add("KeyPackage") { text in
        text.add("DeviceInfo") { $0.add("SerialNo", record.serial) }
        text.add("Key", "Id=\"\(escapedXML(record.serial))\" Algorithm=\"\(urn)\"") { text in
            if let issuer = record.issuer { text.add("Issuer", issuer) }
            text.add("AlgorithmParameters") { text in
                if parameters.algorithm != .sha1 { text.add("Suite", parameters.algorithm.name) }
                text.addEmpty(
                    "ResponseFormat Length=\"\(parameters.digits.value)\" Encoding=\"DECIMAL\"")
            }
            text.add("Data") { text in
                text.addSecret(seed)
                text.addState(record.state)
            }
            if let account = record.account { text.add("UserId", userID(ofAccount: account)) }
            text.addDates(record.startUnixSeconds, record.expiryUnixSeconds)
        }
    }
    return text.bytes
}

/// The element of a seed, as it stands in a package of ours.
func secretText(_ seed: PSKCValue, prefix: String) -> [UInt8] {
    var text = RecordText(prefix: prefix)
    text.addSecret(seed)
    return text.bytes
}

/// Indented XML, a line an element.
private struct RecordText {
    private(set) var bytes: [UInt8] = []
    private let prefix: String
    private var depth = 1

    init(prefix: String) { self.prefix = prefix }

    /// An element with others in it.
    mutating func add(
        _ name: String, _ attributes: String = "", content: (inout RecordText) -> Void
    ) {
        line("<\(prefix)\(name)\(attributes.isEmpty ? "" : " ")\(attributes)>")
        depth += 1
        content(&self)
        depth -= 1
        line("</\(prefix)\(name)>")
    }

    mutating func add(_ name: String, _ text: String) {
        line("<\(prefix)\(name)>\(escapedXML(text))</\(prefix)\(name)>")
    }

    mutating func addEmpty(_ tag: String) { line("<\(prefix)\(tag)/>") }

    mutating func addSecret(_ seed: PSKCValue) {
        add("Secret") { text in
            switch seed {
            case .plain(let value):
                text.line("<\(text.prefix)PlainValue>")
                text.bytes += value + "</\(text.prefix)PlainValue>".utf8
            case .encrypted(let value):
                text.line(
                    "<\(text.prefix)EncryptedValue xmlns:xenc=\"\(Namespace.encryption)\">"
                        + "\(cipherText(value))</\(text.prefix)EncryptedValue>")
                text.add("ValueMAC", base64Encoded(value.mac ?? []))
            }
        }
    }

    /// In the order of RFC 6030's schema.
    mutating func addState(_ state: VerifierState) {
        switch state.parameters.factor {
        case .counter(let counter): add("Counter", number: Int64(counter))
        case .time(let seconds):
            if let step = state.lastStep { add("Time", number: step) }
            add("TimeInterval", number: Int64(seconds))
            if state.lastStep != nil { add("TimeDrift", number: state.driftSteps) }
        }
    }

    mutating func addDates(_ start: Int64?, _ expiry: Int64?) {
        guard start != nil || expiry != nil else { return }
        add("Policy") { text in
            if let start { text.add("StartDate", UTCTime.text(unixSeconds: start)) }
            if let expiry { text.add("ExpiryDate", UTCTime.text(unixSeconds: expiry)) }
        }
    }

    private mutating func add(_ name: String, number: Int64) {
        add(name) { $0.add("PlainValue", String(number)) }
    }

    private mutating func line(_ text: String) {
        bytes += ("\n" + String(repeating: "  ", count: depth) + text).utf8
    }
}
