// Which computers prescriptions are sent from, and whether this is one. Bound by CONTRACT §1
// (`device …`), §3 (`device check`) and DESIGN §6.
import Device
import Keystore
import Linux

/// The record of a computer that sends prescriptions: what another device knows it by. It tells no
/// identifier. CONTRACT §4.
public struct PrescribingDeviceRecord: Equatable, Sendable {
    let record: PrescribingRecord

    /// What its owner called it; empty if nothing.
    public var label: String { record.label }
    /// The text that travels in links, files and terminals: `softtoken:prescribing#…`.
    public var text: String { record.text }

    /// How a record's text begins.
    public static let prefix = PrescribingRecord.prefix

    init(_ record: PrescribingRecord) { self.record = record }

    /// Reads a record from the text of a file or of an argument.
    ///
    /// - Throws: `rejected`.
    public init(parsing bytes: [UInt8]) throws(AuthenticatorError) {
        record = try onDevice(try PrescribingRecord(parsingFile: bytes))
    }
}

/// This computer's mark.
public enum PrescribingMark: Equatable, Sendable {
    case none
    case marked(PrescribingDeviceRecord)
    /// It is marked, and its record is damaged.
    case damaged
}

extension Authenticator {
    /// Marks this computer as one that sends prescriptions. Needs root, and no keystore.
    ///
    /// - Parameter label: what people call it, at most 64 bytes; may be empty.
    /// - Returns: its record, and whether it was marked before; then nothing was changed.
    /// - Throws: exit code `configuration` without root; `usage` for a label that can't be one;
    ///   `cannotCreate`, `inputOutput`; the mark is then what it was.
    public static func registerDevice(
        label: String
    ) throws(AuthenticatorError) -> (record: PrescribingDeviceRecord, wasRegistered: Bool) {
        guard PrescribingRecord.isAcceptableLabel(label) else { throw .init(.unacceptableLabel) }
        let made = try onDevice(try PrescribingMarker.register(label: label))
        return (PrescribingDeviceRecord(made.record), made.wasThere)
    }

    /// Takes the mark away, whatever state it is in. Needs root.
    ///
    /// - Returns: whether there was one.
    public static func unregisterDevice() throws(AuthenticatorError) -> Bool {
        try onDevice(try PrescribingMarker.unregister())
    }

    /// This computer's mark, and the records that the keystore keeps. Needs no PIN.
    public func devices() throws(AuthenticatorError) -> (
        mark: PrescribingMark, records: [PrescribingDeviceRecord]
    ) {
        try confineFiles()
        let mark: PrescribingMark =
            switch flow.device.marker {
            case .absent: .none
            case .damaged: .damaged
            case .record(let record): .marked(PrescribingDeviceRecord(record))
            }
        return (mark, try flow.facts().records.map(PrescribingDeviceRecord.init))
    }

    /// Whether this device is apart from those that send prescriptions.
    ///
    /// - Throws: `failed` where the keystore's records can't be told and nothing else says that this
    ///   is one.
    public func checkDevice() throws(AuthenticatorError) -> Separation {
        var verdict = try flow.verdict(try flow.facts())
        if case .same = verdict {} else { verdict = try flow.verdict(try flow.knownFacts()) }
        try confineFiles()
        return Separation(verdict)
    }

    /// Checks, before a PIN is asked for, that a record is not this device's own.
    ///
    /// - Throws: exit code `prescribingDevice`, logged.
    public func check(_ record: PrescribingDeviceRecord) throws(AuthenticatorError) {
        try flow.checkIsAnotherDevice(record.record)
    }
}
