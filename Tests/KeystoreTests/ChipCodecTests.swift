// The commands that a chip is asked and what it answers, as bytes: answers of the kind that a chip gives,
// every strict prefix and every flipped bit of it. Bound by DESIGN §5.
import Testing

@testable import Keystore

@Suite("The bytes that a chip is asked and answers")
struct ChipCodecTests {
    @Test("A command's bytes are those of the TPM's specification")
    func commands() throws {
        #expect(
            try ChipCommand.flushBytes(0x0200_0001)
                == hexadecimalBytes("80010000000e0000016502000001"))
        #expect(
            try ChipCommand.readPublicBytes(0x0180_0010)
                == hexadecimalBytes("80010000000e0000016901800010"))
        #expect(
            try ChipCommand.createPrimaryBytes()
                == hexadecimalBytes(
                    "80020000004300000131" + "40000001" + "00000009" + "400000090000000000"
                        + "000400000000" + "001a"
                        + "0023000b00030472000000060080004300100003001000000000"
                        + "000000000000"))
        #expect(
            try ChipCommand.startSessionBytes(
                .hmac, salt: nil, nonce: [UInt8](repeating: 0, count: 32), bound: 0x0180_0010)
                == hexadecimalBytes(
                    "80010000003b00000176" + "40000007" + "01800010" + "0020"
                        + String(repeating: "00", count: 32) + "0000" + "00" + "0010" + "000b"))
    }

    @Test("An index's Name is the hash of its public area, and the gate's depends on its share")
    func names() throws {
        let share = try guardedBytes([UInt8](repeating: 9, count: 32))
        let other = try guardedBytes([UInt8](repeating: 8, count: 32))
        let pair = try CountedPair(handle: 0x0180_0010, share: share)
        #expect(
            try pair.publicArea(.share, .written)
                == hexadecimalBytes("01800011" + "000b" + "22040004" + "0000" + "0020"))
        #expect(
            try pair.publicArea(.gate, .unwritten)
                == hexadecimalBytes("01800010" + "000b" + "02040088" + "0020") + pair.policy + [
                    0, 8,
                ])
        #expect(try CountedPair(handle: 0x0180_0010, share: other) != pair)
        #expect(pair.named(.gate).name.count == 34)
    }

    @Test("Handles are drawn in their range, even, and the share's is in it, too")
    func handles() {
        for _ in 0..<10_000 {
            let handle = CountedPair.drawnHandle()
            #expect(handle % 2 == 0 && (0x0180_0000...0x01bf_fffe).contains(handle))
        }
    }

    @Test("The gate is armed with L less the tries, whatever L ends in", arguments: [1, 3, 10])
    func armed(tries: Int) throws {
        for limit in [0x4000_0000, 0x4000_0009, 0x7fff_ffff, 0x4001_0000, 0x5000_0100] as [UInt32] {
            let content = try GateContent.armed(
                limit: try guardedBytes(bigEndianBytes(limit)), tries: tries)
            let bytes = publicBytes(content)
            #expect(bytes == bigEndianBytes(limit - UInt32(tries)) + bigEndianBytes(limit))
        }
    }

    @Test("An authorization never ends in a zero, and L is 30 bits with the next one set")
    func authorizations() throws {
        for number in UInt8(0)..<200 {
            #expect(try lastBytes(keyFilledWith: number).allSatisfy { $0 % 2 == 1 })
            #expect(try firstByteOfLimit() & 0xc0 == 0x40)
        }
    }

    private func lastBytes(keyFilledWith byte: UInt8) throws(KeystoreError) -> [UInt8] {
        let key = try guardedBytes([UInt8](repeating: byte, count: 32))
        let limit = try GateContent.drawnLimit()
        let gate = try PairAuthorization.gate(key)
        let share = try PairAuthorization.share(key, limit: limit)
        return [publicBytes(gate)[31], publicBytes(share)[31]]
    }

    private func firstByteOfLimit() throws(KeystoreError) -> UInt8 {
        let limit = try GateContent.drawnLimit()
        return publicBytes(limit)[0]
    }

    /// Whole answers: what reads them, and their bytes.
    private static let answers: [(name: String, bytes: [UInt8])] = [
        ("session", head(0x8001, [2, 0, 0, 0, 0, 32] + [UInt8](repeating: 5, count: 32))),
        (
            "authorized",
            head(
                0x8002,
                [0, 0, 0, 4, 0, 2, 7, 7, 0, 32] + [UInt8](repeating: 5, count: 32) + [1]
                    + [0, 32] + [UInt8](repeating: 6, count: 32))
        ),
        ("public", head(0x8001, publicAnswer)), ("primary", head(0x8002, primaryAnswer)),
    ]

    @Test(
        "A whole answer is read; no strict prefix of it, and nothing with a byte after it",
        arguments: answers)
    func prefixes(name: String, bytes: [UInt8]) {
        #expect(isRead(name, bytes))
        for count in 0..<bytes.count {
            #expect(!isRead(name, Array(bytes.prefix(count))))
            // The same with a head that says so.
            guard count >= 10 else { continue }
            #expect(!isRead(name, head(Array(bytes.prefix(2)), Array(bytes[10..<count]))))
        }
        #expect(!isRead(name, bytes + [0]))
        #expect(!isRead(name, head(Array(bytes.prefix(2)), Array(bytes[10...]) + [0])))
    }

    @Test(
        "A flipped bit of an index's or a key's public area is another Name",
        arguments: ["public", "primary"])
    func flippedBits(name: String) throws {
        let bytes = try #require(Self.answers.first { $0.name == name }).bytes
        // Of the key's answer, the area and the Name: what says how it was made isn't asked.
        let area = name == "public" ? 10..<bytes.count : 18..<110
        for index in area {
            for bit in 0..<8 {
                var altered = bytes
                altered[index] ^= 1 << bit
                #expect(!isRead(name, altered))
            }
        }
    }

    @Test("An error has ten bytes, and an answer at most 4,096")
    func lengths() {
        #expect(ChipResponse([0x80, 1, 0, 0, 0, 10, 0, 0, 9, 0xa2])?.code == .badAuthorization)
        #expect(ChipResponse([0x80, 1, 0, 0, 0, 11, 0, 0, 9, 0xa2, 0]) == nil)
        #expect(ChipResponse([0x80, 2, 0, 0, 0, 10, 0, 0, 9, 0xa2]) == nil)
        #expect(ChipResponse.byteCount(head: [0x80, 1, 0, 0, 0, 9, 0, 0, 0, 0]) == nil)
        #expect(ChipResponse.byteCount(head: [0x80, 1, 0, 0, 0x10, 0, 0, 0, 0, 0]) == 4096)
        #expect(ChipResponse.byteCount(head: [0x80, 1, 0, 0, 0x10, 1, 0, 0, 0, 0]) == nil)
        #expect(ChipResponse(head(0x8001, [UInt8](repeating: 0, count: 4087))) == nil)
    }

    private func isRead(_ name: String, _ bytes: [UInt8]) -> Bool {
        guard let response = ChipResponse(bytes) else { return false }
        return switch name {
        case "session": SessionResponse(response) != nil
        case "authorized": AuthorizedResponse(response) != nil
        case "public": PublicResponse(response) != nil
        default: PrimaryResponse(response) != nil
        }
    }
}

private func head(_ tag: UInt16, _ body: [UInt8]) -> [UInt8] { head(bigEndianBytes(tag), body) }

private func head(_ tag: [UInt8], _ body: [UInt8]) -> [UInt8] {
    tag + bigEndianBytes(UInt32(10 + body.count)) + [0, 0, 0, 0] + body
}

private let publicAnswer: [UInt8] = {
    let pair = CountedPair(handle: 0x0180_0010, policy: [UInt8](repeating: 3, count: 32))
    var writer = ByteWriter()
    writer.append(sized: pair.publicArea(.gate, .written))
    writer.append(sized: pair.named(.gate).name)
    return writer.bytes
}()

private let primaryAnswer: [UInt8] = {
    var area = ByteWriter()
    area.append(ChipCommand.primaryTemplate)
    area.append(sized: [UInt8](repeating: 1, count: 32))
    area.append(sized: [UInt8](repeating: 2, count: 32))
    var parameters = ByteWriter()
    parameters.append(sized: area.bytes)
    parameters.append(sized: [UInt8](repeating: 0, count: 55))
    parameters.append(sized: [UInt8](repeating: 0, count: 32))
    parameters.append([0x80, 0x21, 0x40, 0, 0, 1])
    parameters.append(sized: [UInt8](repeating: 0, count: 32))
    parameters.append(sized: chipName(area.bytes))
    var writer = ByteWriter()
    writer.append(UInt32(0x8000_0000))
    writer.append(UInt32(parameters.bytes.count))
    writer.append(parameters.bytes)
    writer.append([0, 0, 1, 0, 0])
    return writer.bytes
}()
