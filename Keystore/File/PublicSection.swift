// The keystore's public section: what is known without a PIN, authenticated with the device key and
// by the wrapped key, which opens only under it. Bound by FORMAT.md §5.

/// What must be checked before a PIN: the living tokens' strictest policy and the prescribing
/// records.
package struct PublicSection: Equatable, Sendable {
    package static let maximumRecords = 64
    package static let maximumRecordBytes = 2048

    package var policy = TokenPolicy()
    /// Each in its transferable form, CONTRACT §4.
    package var prescribingRecords: [String] = []
    /// Of the trusted issuers, sorted; 32 bytes each.
    var issuerTags: [[UInt8]] = []
    /// nil in a keystore that an earlier version wrote.
    var added: Added?

    package var seenPolicy: SeenPolicy { added?.seenPolicy ?? SeenPolicy() }

    /// What follows the tags.
    struct Added: Equatable, Sendable {
        /// Of the names under which the issuers are trusted, in the order of their tags.
        var nameTags: [[UInt8]] = []
        var seenPolicy = SeenPolicy()
    }

    var encoded: [UInt8] {
        var writer = ByteWriter()
        policy.encode(to: &writer)
        writer.append(UInt8(prescribingRecords.count))
        for record in prescribingRecords {
            writer.append(UInt16(record.utf8.count))
            writer.append(Array(record.utf8))
        }
        writer.append(UInt8(issuerTags.count))
        for tag in issuerTags { writer.append(tag) }
        if let added {
            writer.append(UInt8(1))
            for tag in added.nameTags { writer.append(tag) }
            added.seenPolicy.encode(to: &writer)
        }
        writer.pad(toMultipleOf: Header.sectionUnit)
        return writer.bytes
    }

    init() {}

    /// Parses the padded section; nil if it breaks FORMAT.md §5.
    init?(_ bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard let policy = TokenPolicy(&reader), let count = reader.integer(UInt8.self),
            count <= PublicSection.maximumRecords
        else { return nil }
        self.policy = policy
        for _ in 0..<count {
            guard let length = reader.integer(UInt16.self),
                (1...PublicSection.maximumRecordBytes).contains(Int(length)),
                let bytes = reader.bytes(Int(length)),
                bytes.allSatisfy({ (0x21...0x7e).contains($0) })
            else { return nil }
            prescribingRecords.append(String(decoding: bytes, as: UTF8.self))
        }
        guard let tagCount = reader.integer(UInt8.self) else { return nil }
        for _ in 0..<tagCount {
            guard let tag = reader.bytes(32),
                issuerTags.last?.lexicographicallyPrecedes(tag) ?? true
            else { return nil }
            issuerTags.append(Array(tag))
        }
        if !reader.isRestZero {
            guard let added = Added(&reader, issuerCount: issuerTags.count) else { return nil }
            self.added = added
        }
        guard reader.isRestZero, encoded == bytes else { return nil }
    }
}

extension PublicSection.Added {
    fileprivate init?(_ reader: inout ByteReader, issuerCount: Int) {
        guard reader.integer(UInt8.self) == 1 else { return nil }
        for _ in 0..<issuerCount {
            guard let tag = reader.bytes(32) else { return nil }
            nameTags.append(tag)
        }
        guard let seenPolicy = SeenPolicy(&reader) else { return nil }
        self.seenPolicy = seenPolicy
    }
}

extension SeenPolicy {
    fileprivate func encode(to writer: inout ByteWriter) {
        policy.encode(to: &writer)
        writer.append(UInt8(forbidsUnsigned ? 1 : 0))
    }

    fileprivate init?(_ reader: inout ByteReader) {
        guard let policy = TokenPolicy(&reader), let unsigned = reader.integer(UInt8.self),
            unsigned <= 1
        else { return nil }
        self.init(policy: policy, forbidsUnsigned: unsigned == 1)
    }
}

extension TokenPolicy {
    func encode(to writer: inout ByteWriter) {
        writer.append(UInt8(attempts ?? 0))
        writer.append(UInt16(sessionSeconds ?? 0))
        writer.append(separation?.rawValue ?? 0)
    }

    init?(_ reader: inout ByteReader) {
        guard let attempts = reader.integer(UInt8.self), let session = reader.integer(UInt16.self),
            let separation = reader.integer(UInt8.self),
            attempts == 0 || TokenPolicy.attemptLimits.contains(Int(attempts)),
            session == 0 || TokenPolicy.sessionSeconds.contains(Int(session)), separation <= 2
        else { return nil }
        self.init(
            attempts: attempts == 0 ? nil : Int(attempts),
            sessionSeconds: session == 0 ? nil : Int(session),
            separation: Separation(rawValue: separation))
    }
}
