// What a chip answers, taken apart. It comes from outside of the process: each length is checked,
// nothing may follow, and nil is an answer that no chip gives.
// Bound by DESIGN §5; TCG TPM 2.0 Library part 1, §18; part 3.

/// The ten bytes that every answer begins with, and what follows them.
struct ChipResponse: Equatable, Sendable {
    static let headByteCount = 10
    let tag: UInt16
    /// 0 is success.
    let code: ChipCode
    let body: [UInt8]

    init?(_ bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard bytes.count <= ChipCommand.maximumByteCount,
            let tag = reader.integer(UInt16.self), let size = reader.integer(UInt32.self),
            let code = reader.integer(UInt32.self), Int(size) == bytes.count,
            tag == ChipCommand.plain || tag == ChipCommand.authorized,
            code == 0 || (bytes.count == ChipResponse.headByteCount && tag == ChipCommand.plain),
            let body = reader.bytes(bytes.count - ChipResponse.headByteCount)
        else { return nil }
        self.tag = tag
        self.code = ChipCode(rawValue: code)
        self.body = body
    }

    /// How long an answer with this head is; nil if none is that short or long.
    static func byteCount(head: [UInt8]) -> Int? {
        var reader = ByteReader(head)
        guard reader.bytes(2) != nil, let size = reader.integer(UInt32.self),
            (headByteCount...ChipCommand.maximumByteCount).contains(Int(size))
        else { return nil }
        return Int(size)
    }
}

/// A response code of the TPM's.
struct ChipCode: RawRepresentable, Equatable, Sendable {
    let rawValue: UInt32
    static let success = ChipCode(rawValue: 0)
    /// The authorization is wrong, and has been counted where the index counts.
    static let badAuthorization = ChipCode(rawValue: 0x9a2)
    /// The index can't be authorized like this (any more): the gate is closed.
    static let authorizationUnavailable = ChipCode(rawValue: 0x12f)
    static let noRoom = ChipCode(rawValue: 0x14b)
    static let alreadyDefined = ChipCode(rawValue: 0x14c)
    /// The first handle names nothing.
    static let noSuchHandle = ChipCode(rawValue: 0x18b)

    /// RETRY, NV_RATE, YIELDED, CANCELED, TESTING: nothing was done, and the same bytes are to be
    /// sent again.
    var asksAgain: Bool { [0x922, 0x920, 0x908, 0x909, 0x90a].contains(rawValue) }
}

/// The key that salts sessions.
struct PrimaryResponse: Equatable, Sendable {
    let handle: UInt32
    let point: CurvePoint
    let name: [UInt8]

    init?(_ response: ChipResponse) {
        var reader = ByteReader(response.body)
        guard response.tag == ChipCommand.authorized,
            let handle = reader.integer(UInt32.self), let size = reader.integer(UInt32.self),
            let parameters = reader.bytes(Int(size)), reader.bytes(5) == [0, 0, 1, 0, 0],
            reader.isAtEnd
        else { return nil }
        reader = ByteReader(parameters)
        // Creation data, their hash and ticket say nothing that is needed here.
        guard let area = reader.sized(), reader.sized() != nil, reader.sized(32) != nil,
            reader.bytes(6) != nil, reader.sized() != nil, let name = reader.sized(34),
            reader.isAtEnd, name == chipName(area), let point = PrimaryResponse.point(area)
        else { return nil }
        self.handle = handle
        self.point = point
        self.name = name
    }

    private static func point(_ area: [UInt8]) -> CurvePoint? {
        var reader = ByteReader(area)
        guard reader.bytes(ChipCommand.primaryTemplate.count) == ChipCommand.primaryTemplate,
            let x = reader.sized(32), let y = reader.sized(32), reader.isAtEnd
        else { return nil }
        return CurvePoint(x: x, y: y)
    }
}

/// A session that has begun.
struct SessionResponse: Equatable, Sendable {
    let handle: UInt32
    let nonce: [UInt8]

    init?(_ response: ChipResponse) {
        var reader = ByteReader(response.body)
        guard response.tag == ChipCommand.plain, let handle = reader.integer(UInt32.self),
            let nonce = reader.sized(32), reader.isAtEnd
        else { return nil }
        self.handle = handle
        self.nonce = nonce
    }
}

/// An index's public area, by its Name alone: what is asked is whether it is the one it must be.
struct PublicResponse: Equatable, Sendable {
    let name: [UInt8]

    init?(_ response: ChipResponse) {
        var reader = ByteReader(response.body)
        guard response.tag == ChipCommand.plain, let area = reader.sized(),
            let name = reader.sized(34), reader.isAtEnd, name == chipName(area)
        else { return nil }
        self.name = name
    }
}

/// An answer under a session: believed once its MAC is right.
struct AuthorizedResponse: Equatable, Sendable {
    let parameters: [UInt8]
    let proof: SessionProof

    init?(_ response: ChipResponse) {
        var reader = ByteReader(response.body)
        guard response.tag == ChipCommand.authorized, let size = reader.integer(UInt32.self),
            let parameters = reader.bytes(Int(size)), let nonce = reader.sized(32),
            let attributes = reader.integer(UInt8.self), let mac = reader.sized(32),
            reader.isAtEnd
        else { return nil }
        self.parameters = parameters
        proof = SessionProof(
            nonce: nonce, attributes: SessionAttributes(rawValue: attributes), mac: mac)
    }
}

/// The Name of an object or index: its hash algorithm and the hash of its public area.
func chipName(_ publicArea: [UInt8]) -> [UInt8] {
    bigEndianBytes(ChipConstant.sha256) + sha256(publicArea)
}

/// Whether these can be a Name: SHA-256 is what all are made with here.
func isChipName(_ bytes: [UInt8]) -> Bool {
    bytes.count == 34 && bytes.starts(with: bigEndianBytes(ChipConstant.sha256))
}
