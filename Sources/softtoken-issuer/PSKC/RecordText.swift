// A verifier's record as text: one KeyPackage of RFC 6030, plain, because the file is 0600 and its
// reader needs the seed. Bound by RECORDS.md §2. The XML's memory is exempt from the residue rules
// (STYLE 8): the file on disk holds the same seed in the clear.
import Activation
import Keystore
import KeystoreIssuer
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
func recordText(
    _ order: TokenOrder, issuer: String, seed: borrowing Seed, prefix: String
) -> [UInt8] {
    var text = RecordText(prefix: prefix)
    text.open("KeyPackage")
    text.open("DeviceInfo")
    text.add("SerialNo", order.serial)
    text.close("DeviceInfo")
    text.open("Key", "Id=\"\(escapedXML(order.serial))\" Algorithm=\"\(order.parameters.urn)\"")
    text.add("Issuer", issuer)
    text.open("AlgorithmParameters")
    if order.parameters.algorithm != .sha1 {
        text.add("Suite", "HMAC-" + order.parameters.algorithm.name)
    }
    text.addEmpty("ResponseFormat Length=\"\(order.parameters.digits.value)\" Encoding=\"DECIMAL\"")
    text.close("AlgorithmParameters")
    text.open("Data")
    text.addSecret(seed)
    text.addState(order.parameters.factor)
    text.close("Data")
    text.add("UserId", userID(ofAccount: order.account))
    if let expires = order.terms.expiresUnixSeconds {
        text.open("Policy")
        text.add("ExpiryDate", UTCTime.text(unixSeconds: expires))
        text.close("Policy")
    }
    text.close("Key")
    text.close("KeyPackage")
    return text.bytes
}

/// Indented XML, a line an element.
private struct RecordText {
    private(set) var bytes: [UInt8] = []
    private let prefix: String
    private var depth = 1

    init(prefix: String) { self.prefix = prefix }

    mutating func open(_ name: String, _ attributes: String = "") {
        line("<\(prefix)\(name)\(attributes.isEmpty ? "" : " ")\(attributes)>")
        depth += 1
    }

    mutating func close(_ name: String) {
        depth -= 1
        line("</\(prefix)\(name)>")
    }

    mutating func add(_ name: String, _ text: String) {
        line("<\(prefix)\(name)>\(escapedXML(text))</\(prefix)\(name)>")
    }

    mutating func addEmpty(_ tag: String) { line("<\(prefix)\(tag)/>") }

    mutating func addSecret(_ seed: borrowing Seed) {
        open("Secret")
        line("<\(prefix)PlainValue>")
        seed.appendBase64(to: &bytes)
        bytes += "</\(prefix)PlainValue>".utf8
        close("Secret")
    }

    mutating func addState(_ factor: MovingFactor) {
        let (name, number) =
            switch factor {
            case .counter(let counter): ("Counter", Int64(counter))
            case .time(let seconds): ("TimeInterval", Int64(seconds))
            }
        open(name)
        add("PlainValue", String(number))
        close(name)
    }

    private mutating func line(_ text: String) {
        bytes += ("\n" + String(repeating: "  ", count: depth) + text).utf8
    }
}

extension TokenParameters {
    fileprivate var urn: String {
        switch factor {
        case .time: Namespace.pskc + ":totp"
        case .counter: Namespace.pskc + ":hotp"
        }
    }
}
