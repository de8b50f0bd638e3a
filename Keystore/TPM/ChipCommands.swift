// The nine commands that a chip is asked, as bytes. What is secret in them has been encrypted before
// it comes here. Bound by DESIGN §5; TCG TPM 2.0 Library part 3.

enum ChipCommand: UInt32, Sendable {
    case undefineSpace = 0x122
    case defineSpace = 0x12a
    case createPrimary = 0x131
    case write = 0x137
    case policyNV = 0x149
    case read = 0x14e
    case flushContext = 0x165
    case readPublic = 0x169
    case startAuthSession = 0x176

    /// Without an authorization area, with one.
    static let plain: UInt16 = 0x8001
    static let authorized: UInt16 = 0x8002
    static let maximumByteCount = 4096
}

/// Handles and algorithms of the TPM's specification.
enum ChipConstant {
    static let owner: UInt32 = 0x4000_0001
    static let none: UInt32 = 0x4000_0007
    static let password: UInt32 = 0x4000_0009
    static let sha256: UInt16 = 0x000b
    static let aes: UInt16 = 0x0006
    static let cfb: UInt16 = 0x0043
    static let null: UInt16 = 0x0010
    static let ecc: UInt16 = 0x0023
    static let p256: UInt16 = 0x0003
}

/// What a session is used for in one command; the first parameter is encrypted on its way.
struct SessionAttributes: OptionSet, Sendable {
    let rawValue: UInt8
    static let continues = SessionAttributes(rawValue: 0x01)
    /// The command's first parameter is encrypted.
    static let decrypt = SessionAttributes(rawValue: 0x20)
    /// The response's first parameter is.
    static let encrypt = SessionAttributes(rawValue: 0x40)
}

/// What proves that a command comes from who knows its keys, or a response from the chip.
struct SessionProof: Equatable, Sendable {
    static let byteCount = 69
    let nonce: [UInt8]
    let attributes: SessionAttributes
    let mac: [UInt8]

    var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.append(sized: nonce)
        writer.append(attributes.rawValue)
        writer.append(sized: mac)
        return writer.bytes
    }
}

extension ChipCommand {
    /// What the storage key of the TCG's ECC template looks like, up to its point: restricted,
    /// decrypting, made anew from the owner's seed each time. It salts sessions.
    static let primaryTemplate: [UInt8] = {
        var writer = ByteWriter()
        writer.append(ChipConstant.ecc)
        writer.append(ChipConstant.sha256)
        writer.append(UInt32(0x0003_0472))
        writer.append(UInt16(0))
        for value in [ChipConstant.aes, 128, ChipConstant.cfb] { writer.append(value) }
        for value in [ChipConstant.null, ChipConstant.p256, ChipConstant.null] {
            writer.append(value)
        }
        return writer.bytes
    }()

    /// Makes the key that salts sessions, under the owner's empty authorization.
    static func createPrimaryBytes() -> [UInt8] {
        var writer = ByteWriter()
        writer.append(ChipConstant.owner)
        writer.append(UInt32(9))
        writer.append(ChipConstant.password)
        writer.append([0, 0, 0, 0, 0])
        writer.append(sized: [0, 0, 0, 0])
        writer.append(sized: primaryTemplate + [0, 0, 0, 0])
        writer.append([0, 0, 0, 0, 0, 0])
        return createPrimary.framed(writer.bytes, tag: authorized)
    }

    /// Starts a session salted by what the chip's key and ours agree on.
    ///
    /// - Parameter bound: an entity that the session is bound to, for the probe alone.
    static func startSessionBytes(
        _ kind: ChipSession.Kind, salt: (key: UInt32, point: CurvePoint)?, nonce: [UInt8],
        bound: UInt32 = ChipConstant.none
    ) -> [UInt8] {
        var writer = ByteWriter()
        writer.append(salt?.key ?? ChipConstant.none)
        writer.append(bound)
        writer.append(sized: nonce)
        var point = ByteWriter()
        if let salt {
            point.append(sized: salt.point.x)
            point.append(sized: salt.point.y)
        }
        writer.append(sized: point.bytes)
        writer.append(kind.rawValue)
        if salt == nil {
            writer.append(ChipConstant.null)
        } else {
            for value in [ChipConstant.aes, 128, ChipConstant.cfb] { writer.append(value) }
        }
        writer.append(ChipConstant.sha256)
        return startAuthSession.framed(writer.bytes, tag: plain)
    }

    static func flushBytes(_ handle: UInt32) -> [UInt8] {
        flushContext.framed(bigEndianBytes(handle), tag: plain)
    }

    static func readPublicBytes(_ index: UInt32) -> [UInt8] {
        readPublic.framed(bigEndianBytes(index), tag: plain)
    }

    /// A command under one session.
    func authorizedBytes(
        _ handles: [UInt32], session: UInt32, proof: SessionProof, parameters: [UInt8]
    ) -> [UInt8] {
        var writer = ByteWriter()
        for handle in handles { writer.append(handle) }
        writer.append(UInt32(4 + SessionProof.byteCount))
        writer.append(session)
        writer.append(proof.encoded)
        writer.append(parameters)
        return framed(writer.bytes, tag: ChipCommand.authorized)
    }

    private func framed(_ body: [UInt8], tag: UInt16) -> [UInt8] {
        var writer = ByteWriter()
        writer.append(tag)
        writer.append(UInt32(10 + body.count))
        writer.append(rawValue)
        writer.append(body)
        precondition(writer.bytes.count <= ChipCommand.maximumByteCount, "a command is short")
        return writer.bytes
    }
}

func bigEndianBytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    var writer = ByteWriter()
    writer.append(value)
    return writer.bytes
}

extension ByteWriter {
    /// A TPM2B: two bytes of length, and the bytes.
    mutating func append(sized bytes: [UInt8]) {
        append(UInt16(bytes.count))
        append(bytes)
    }
}

extension ByteReader {
    /// A TPM2B.
    mutating func sized() -> [UInt8]? {
        integer(UInt16.self).flatMap { bytes(Int($0)) }
    }

    /// A TPM2B of one length.
    mutating func sized(_ count: Int) -> [UInt8]? {
        sized().flatMap { $0.count == count ? $0 : nil }
    }
}
