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

/// The key package of a token, in the order of RFC 6030's schema.
///
/// - Parameter prefix: the container's, with its colon.
func recordText(_ record: TokenMetadata, _ seed: PSKCValue, prefix: String) -> [UInt8] {
    let xml = XMLLines(prefix: prefix)
    let (parameters, serial) = (record.state.parameters, escapedXML(record.serial))
    let suite = parameters.algorithm == .sha1 ? nil : parameters.algorithm.name
    let (type, state): (String, String)
    switch parameters.factor {
    case .counter(let counter): (type, state) = ("hotp", xml.number("Counter", Int64(counter)))
    case .time(let seconds):
        let step = record.state.lastStep
        let drift = step == nil ? nil : record.state.driftSteps
        type = "totp"
        state =
            xml.number("Time", step) + xml.number("TimeInterval", Int64(seconds))
            + xml.number("TimeDrift", drift)
    }
    let dates =
        xml.element("StartDate", record.startUnixSeconds.map(UTCTime.text), depth: 4)
        + xml.element("ExpiryDate", record.expiryUnixSeconds.map(UTCTime.text), depth: 4)
    let text = """

          <\(prefix)KeyPackage>
            <\(prefix)DeviceInfo>
              <\(prefix)SerialNo>\(serial)</\(prefix)SerialNo>
            </\(prefix)DeviceInfo>
            <\(prefix)Key Id="\(serial)" Algorithm="\(Namespace.pskc):\(type)">\
        \(xml.element("Issuer", record.issuer.map(escapedXML), depth: 3))
              <\(prefix)AlgorithmParameters>\(xml.element("Suite", suite, depth: 4))
                <\(prefix)ResponseFormat Length="\(parameters.digits.value)" Encoding="DECIMAL"/>
              </\(prefix)AlgorithmParameters>
              <\(prefix)Data>\(xml.secret(seed, depth: 4))\(state)
              </\(prefix)Data>\
        \(xml.element("UserId", record.account.map { escapedXML(userID(ofAccount: $0)) }, depth: 3))\
        \(xml.group("Policy", dates, depth: 3))
            </\(prefix)Key>
          </\(prefix)KeyPackage>
        """
    return Array(text.utf8)
}

/// The element of a seed, as it stands in a package of ours.
func secretText(_ seed: PSKCValue, prefix: String) -> String {
    XMLLines(prefix: prefix).secret(seed, depth: 1)
}

/// Elements, each on lines of its own.
private struct XMLLines {
    let prefix: String

    /// An element with escaped text in it; nothing without.
    func element(_ name: String, _ text: String?, depth: Int) -> String {
        text.map { start(depth) + "<\(prefix)\(name)>\($0)</\(prefix)\(name)>" } ?? ""
    }

    /// An element with others in it; nothing without.
    func group(_ name: String, _ content: String, depth: Int) -> String {
        content.isEmpty ? "" : element(name, content + start(depth), depth: depth)
    }

    /// A value of Data; nothing without.
    func number(_ name: String, _ number: Int64?) -> String {
        group(name, element("PlainValue", number.map { String($0) }, depth: 5), depth: 4)
    }

    func secret(_ seed: PSKCValue, depth: Int) -> String {
        switch seed {
        case .plain(let value):
            let text = String(decoding: value, as: UTF8.self)
            return group("Secret", element("PlainValue", text, depth: depth + 1), depth: depth)
        case .encrypted(let value):
            let space = "EncryptedValue xmlns:xenc=\"\(Namespace.encryption)\""
            let text =
                start(depth + 1)
                + "<\(prefix)\(space)>\(cipherText(value))</\(prefix)EncryptedValue>"
                + element("ValueMAC", base64Encoded(value.mac ?? []), depth: depth + 1)
            return group("Secret", text, depth: depth)
        }
    }

    private func start(_ depth: Int) -> String { "\n" + String(repeating: "  ", count: depth) }
}
