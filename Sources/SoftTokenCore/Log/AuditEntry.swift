// One entry of the audit log: what happened to which token, never a name, a PIN, a seed or an OTP.
// Bound by CONTRACT §3 (`log`) and Keystore/FORMAT.md §10.
internal import Linux

/// What the audit log has entries of, named as CONTRACT §3 names them.
public enum AuditEvent: String, Sendable, CaseIterable {
    case activate, attest, unlock, otp, rename, remove, pin, delay, erase, reset, refuse, device
    case issuer, clock, tamper
}

/// What became of it.
public enum AuditOutcome: String, Sendable, CaseIterable {
    case ok, rejected, refused, failed
}

/// An entry without its place in the chain.
package struct AuditEntry: Equatable, Sendable {
    package let event: AuditEvent
    package let outcome: AuditOutcome
    package let tokenID: UInt64?
    /// Words of ours, printable ASCII without quotation mark and backslash.
    package let detail: String

    /// The detail of a signed link's activation.
    static let signedLink = "signed link"
    /// A `device` entry that tells of a written keystore.
    static let recordAdded = "a prescribing record was added"
    /// An `issuer` entry that belongs to the activation's behind it.
    static let keyTrusted = "a signing key was trusted"

    package init(
        _ event: AuditEvent, _ outcome: AuditOutcome, tokenID: UInt64? = nil, detail: String
    ) {
        precondition(AuditEntry.isPlain(detail), "a detail is plain ASCII of ours")
        self.event = event
        self.outcome = outcome
        self.tokenID = tokenID
        self.detail = detail
    }

    fileprivate static func isPlain(_ detail: String) -> Bool {
        detail.utf8.allSatisfy { (0x20...0x7e).contains($0) && $0 != 0x22 && $0 != 0x5c }
    }

    /// The line's bytes before `,"mac"`.
    func line(sequence: UInt64, unixSeconds: Int64) -> [UInt8] {
        let token = tokenID.map { "\"\(tokenIDText($0))\"" } ?? "null"
        return Array(
            ("{\"seq\":\(sequence),\"time\":\"\(UTCTime.text(unixSeconds: unixSeconds))\","
                + "\"event\":\"\(event.rawValue)\",\"outcome\":\"\(outcome.rawValue)\","
                + "\"token\":\(token),\"detail\":\"\(detail)\"").utf8)
    }
}

/// A token's id as JSON and the log write it: 16 hexadecimal digits.
package func tokenIDText(_ id: UInt64) -> String {
    TextAlphabet.hexadecimal.text(
        (0..<8).map { UInt8(truncatingIfNeeded: id >> UInt64(56 - 8 * $0)) })
}

/// The id that JSON's `token` names: `null` is none.
///
/// - Returns: nil for a text that names nothing.
private func parsedTokenID(_ text: String) -> UInt64?? {
    if text == "null" { return .some(nil) }
    let digits = Array(text.utf8.dropFirst().dropLast())
    guard digits.count == 16, let bytes = TextAlphabet.hexadecimal.bytes(digits) else { return nil }
    return bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
}

/// One entry of the audit log. It never holds a PIN, a seed, an OTP, nor a token's name, issuer,
/// account or serial. CONTRACT §3.
public struct LogEntry: Equatable, Sendable {
    /// Its number, from 1 on.
    public let sequence: UInt64
    /// When, by the device's clock, Unix seconds.
    public let unixSeconds: Int64
    public let event: AuditEvent
    public let outcome: AuditOutcome
    /// The ``Token/id`` that it is about; nil for none.
    public let tokenID: String?
    /// What else there is to say: printable ASCII.
    public let detail: String
    /// What the MAC is over, and the line in JSON without it.
    let content: [UInt8]
    let mac: [UInt8]

    /// Anybody can bring it about, as often as he likes.
    var needsNoPIN: Bool {
        switch event {
        case .refuse, .delay, .tamper: true
        case .activate, .device: outcome == .rejected || outcome == .refused
        case .attest, .unlock, .otp, .rename, .remove, .pin, .erase, .reset, .issuer, .clock: false
        }
    }
    /// One append has one of these at most, each with a PIN behind it, or the end of the keystore.
    var endsUse: Bool {
        switch event {
        case .unlock, .erase, .reset: true
        default: event.isBehindPIN(outcome) && detail != AuditEntry.keyTrusted
        }
    }
    /// Before it an attempt was counted.
    var isWrongPIN: Bool { event == .unlock && outcome == .rejected }
    /// Before it the keystore was written, once for each such entry: a HOTP counter above all.
    var tellsOfWrittenKeystore: Bool {
        guard outcome == .ok else { return false }
        return switch event {
        case .activate, .rename, .remove, .pin: true
        case .issuer: detail != AuditEntry.keyTrusted
        case .otp: detail == "hotp"
        case .device: detail == AuditEntry.recordAdded
        default: false
        }
    }

    /// Before it a signed link was entered among the used ones.
    var tellsOfUsedLink: Bool {
        event == .activate && outcome == .ok && detail.hasPrefix(AuditEntry.signedLink)
    }

    /// `unixSeconds` in RFC 3339, UTC.
    public var time: String { UTCTime.text(unixSeconds: unixSeconds) }
    /// The entry as one line of JSON, as it is on disk but for its MAC.
    public var json: String { String(decoding: content, as: UTF8.self) + "}" }

    /// Parses a line; nil unless it is written exactly as `AuditEntry` writes it.
    init?(_ line: ArraySlice<UInt8>) {
        let tailCount = 74  // ,"mac":"<64 digits>"}
        guard line.count > tailCount else { return nil }
        let content = Array(line.dropLast(tailCount))
        let tail = Array(line.suffix(tailCount))
        guard tail.starts(with: Array(",\"mac\":\"".utf8)),
            tail.suffix(2) == Array("\"}".utf8)[...],
            let mac = TextAlphabet.hexadecimal.bytes(Array(tail[8..<72]))
        else { return nil }
        var reader = LineReader(content)
        guard let sequence = reader.value("{\"seq\":", until: ",").flatMap(UInt64.init),
            let time = reader.value("\"time\":\"", until: "\",").flatMap(UTCTime.unixSeconds),
            let event = reader.value("\"event\":\"", until: "\",").flatMap(
                AuditEvent.init(rawValue:)),
            let outcome = reader.value("\"outcome\":\"", until: "\",")
                .flatMap(AuditOutcome.init(rawValue:)),
            let token = reader.value("\"token\":", until: ","), let id = parsedTokenID(token),
            let detail = reader.value("\"detail\":\"", until: "\""), AuditEntry.isPlain(detail)
        else { return nil }
        // One spelling: a sign before a number, a 30 February, a second member are none of ours, nor
        // is a MAC in upper case, which it is not itself over.
        let entry = AuditEntry(event, outcome, tokenID: id, detail: detail)
        guard entry.line(sequence: sequence, unixSeconds: time) == content,
            Array(TextAlphabet.hexadecimal.text(mac).utf8)[...] == tail[8..<72]
        else { return nil }
        self.sequence = sequence
        unixSeconds = time
        self.event = event
        self.outcome = outcome
        tokenID = token == "null" ? nil : String(token.dropFirst().dropLast())
        self.detail = detail
        self.content = content
        self.mac = mac
    }
}

/// Takes a line of known shape apart, byte for byte: a search over Characters takes ten times as long.
private struct LineReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    /// What stands between two texts, which are taken off the front with it.
    mutating func value(_ start: String, until end: String) -> String? {
        guard takeOff(start) else { return nil }
        let value = rest
        while !rest.isEmpty {
            let bytes = value[..<rest.startIndex]
            if takeOff(end) { return String(decoding: bytes, as: UTF8.self) }
            rest.removeFirst()
        }
        return nil
    }

    private mutating func takeOff(_ text: String) -> Bool {
        guard rest.starts(with: text.utf8) else { return false }
        rest.removeFirst(text.utf8.count)
        return true
    }
}
