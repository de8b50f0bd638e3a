// The prescribing record: a prescribing device's transferable description, which tells no
// identifier. Bound by CONTRACT §4 ("Prescribing record") and FORMAT.md §4.
internal import Keystore
package import Linux

/// Why a prescribing record is rejected, or can't be made or put in its place. Those of a record's
/// text are named as in FORMAT.md §4.
package enum DeviceError: Error, Equatable, Sendable {
    case tooLong
    case notARecord
    case malformedBase64
    case cut
    /// Made by a newer SoftToken.
    case unknownVersion
    case damaged
    case unacceptableLabel
    case noEntries
    case trailingBytes
    /// Making: the device shows neither hardware nor software identifiers.
    case nothingToRecogniseBy
    /// Registering: only root can.
    case notRoot
    /// Registering: /etc/softtoken can't be trusted or written.
    case file(FileProblem)
}

/// A device registered for prescribing, as another device knows it.
package struct PrescribingRecord: Equatable, Sendable {
    /// One identifier of the device, hashed under the record's salt.
    package struct Entry: Equatable, Sendable {
        package let kind: IdentifierKind
        /// 16 bytes.
        package let hash: [UInt8]
    }

    package static let prefix = "softtoken:prescribing#"
    package static let textByteLimit = 2048
    package static let labelBytes = 0...64
    package static let saltByteCount = 16

    /// What its owner called the device; "" if nothing.
    package let label: String
    package let salt: [UInt8]
    /// Those of the kinds that are known here, in the record's order: none in a record that knows
    /// only others.
    package let entries: [Entry]
    /// The binary form of FORMAT.md §4: two spellings of one label are two records.
    package let encoded: [UInt8]

    /// The text that travels in links, files and terminals.
    package var text: String { PrescribingRecord.prefix + TextAlphabet.base64URL.text(encoded) }

    package static func isAcceptableLabel(_ label: String) -> Bool {
        isAcceptableText(label, bytes: labelBytes)
    }
}

extension PrescribingRecord {
    /// Describes a device, under a fresh salt unless one is given.
    ///
    /// - Throws: `DeviceError`; `unacceptableLabel`, `nothingToRecogniseBy`.
    package static func make(
        of identity: DeviceIdentity, label: String,
        salt: [UInt8] = randomBytes(count: saltByteCount)
    ) throws(DeviceError) -> PrescribingRecord {
        precondition(salt.count == saltByteCount, "a record's salt has 16 bytes")
        guard isAcceptableLabel(label) else { throw .unacceptableLabel }
        guard identity.isRecognisable else { throw .nothingToRecogniseBy }
        let entries = identity.identifiers.map { Entry(of: $0, salt: salt) }
            .sorted { $0.encoded.lexicographicallyPrecedes($1.encoded) }
        let encoded = encode(label: label, salt: salt, entries: entries)
        return PrescribingRecord(label: label, salt: salt, entries: entries, encoded: encoded)
    }
}

extension PrescribingRecord.Entry {
    /// The first 16 bytes of H(32, salt, kind ‖ identifier).
    init(of identifier: Identifier, salt: [UInt8]) {
        let hash = blake2b(
            [identifier.kind.rawValue] + identifier.bytes, publicKey: salt, byteCount: 32)
        self.init(kind: identifier.kind, hash: Array(hash.prefix(16)))
    }

    /// The 17 bytes of FORMAT.md §4.
    var encoded: [UInt8] { [kind.rawValue] + hash }
}
