// The codecs alone: what parses encodes again to the same bytes (STYLE 18), and a header that is
// authentic and hostile neither lowers the cost nor exhausts memory (DESIGN §3).
import KeystoreIssuer
import Linux
import Testing

@testable import Keystore

@Suite("Codecs")
struct CodecTests {
    @Test("A header that parses is one within its limits, and encodes to the same bytes")
    func everyFlippedBitOfTheHeader() throws {
        let header = try SharedKeystore.original().withLocked { locked, _ in locked.image.header }
        let bytes = header.encoded
        #expect(bytes.count == Header.byteCount && Header(bytes) == header)
        for bit in 0..<bytes.count * 8 {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            guard let parsed = Header(flipped) else { continue }
            #expect(parsed.encoded == flipped)
            #expect(parsed.cost.memoryBytes >= 256 << 20 && parsed.cost.memoryBytes <= 1 << 30)
            #expect((3...12).contains(parsed.cost.operations))
        }
        for count in bytes.indices { #expect(Header(Array(bytes.prefix(count))) == nil) }
    }

    @Test("The KDF is never cheaper than MODERATE, nor dearer than 12 passes over 1 GiB")
    func hostileCosts() throws {
        let workspace = try SharedKeystore.original()
        let header = try workspace.withLocked { locked, _ in locked.image.header }
        for operations in [0, 1, 2, 3, 12, 13, 1 << 20, 0xffff_ffff] as [UInt32] {
            let bytes = replaced(header.encoded, 12, operations)
            #expect((Header(bytes) != nil) == (3...12).contains(operations))
        }
        for memory in [
            0, 8_192, 67_108_864, 268_435_455, 268_435_456, 1 << 30, (1 << 30) + 1, 1 << 40,
            1 << 63, .max,
        ] as [UInt64] {
            let bytes = replaced(header.encoded, 16, memory)
            #expect((Header(bytes) != nil) == ((1 << 28)...(1 << 30)).contains(memory))
        }
        #expect(KDFCost.moderate == KDFCost(operations: 3, memoryBytes: 256 << 20))
    }

    @Test("A keystore with a hostile header is damaged even where checksum and MAC are right")
    func hostileHeaderOnDisk() throws {
        let workspace = try SharedKeystore.copy()
        let whole = try workspace.bytes("data/keystore")
        let other = try workspace.copy()
        try workspace.withLocked { locked, _ in
            for offset in [8, 9, 10, 11, 12, 13, 14, 15, 16, 20, 80, 84, 88, 92] {
                for value in [0, 1, 2, 0x7f, 0xff] as [UInt8] where whole[offset] != value {
                    // Another binding is another device's: judged before the MAC.
                    if offset == 9 && value == 0 || offset == 10 && value & 14 != 0 { continue }
                    var file = Array(whole.dropLast(64))
                    file[offset] = value
                    if let header = Header(Array(file.prefix(96))),
                        header.fileByteCount == whole.count
                    {
                        continue
                    }
                    file += blake2b(file, byteCount: 32)
                    file = try locked.deviceKey.macKey(.keystore).authenticated(file)
                    try other.replace("data/keystore", file)
                    #expect(try other.judge() == .damagedKeystore, "byte \(offset): \(value)")
                }
            }
        }
    }

    @Test("An attempt record that parses encodes to the same bytes; every prefix is altered")
    func attemptRecord() throws {
        let key = MACKey(try SecureBytes(randomCount: 32))
        let name = [UInt8](repeating: 3, count: 16)
        for count in 0...10 {
            let record = AttemptRecord(
                generation: 1 << 63, keystoreGeneration: 1, count: count, limit: 10,
                now: BootTime(bootID: name, nanoseconds: .max, offsetNanoseconds: .min))
            let bytes = record.encoded(deviceName: name, key: key)
            #expect(bytes.count == 112)
            let parsed = AttemptRecord(bytes, deviceName: name, key: key)
            #expect(parsed == record)
            for length in bytes.indices {
                let cut = AttemptRecord(Array(bytes.prefix(length)), deviceName: name, key: key)
                #expect(cut == nil)
            }
        }
    }

    @Test("An authentic record at the end of its generations is altered, and stops nobody")
    func lastGeneration() throws {
        for generation in [(1 << 63) + 1, .max] as [UInt64] {
            let workspace = try SharedKeystore.copy()
            try workspace.writeRecord(
                AttemptRecord(
                    generation: generation, keystoreGeneration: 1, count: 0, limit: 10, now: boot(1)
                ),
                to: ["data"])
            #expect(try workspace.judge() == .locked(attemptsLeft: 1))
        }
        let last = AttemptRecord(
            generation: 1 << 63, keystoreGeneration: 1, count: 0, limit: 10, now: boot(1))
        let counted = AttemptStanding(state: .whole(last), data: .missing, of: [])?
            .counted(policy: 10, now: boot(1))
        #expect(counted?.generation == last.generation + 1)
    }

    @Test("Metadata and public section: every flipped bit parses to itself or not at all")
    func metadata() throws {
        let workspace = try SharedKeystore.original()
        var metadata = Metadata()
        let parameters = newToken("x").parameters
        metadata.tokens = (0..<3).map { (number: Int) -> TokenMetadata in
            TokenMetadata(
                id: UInt64(number + 1), slot: UInt32(number), name: "Token \(number)",
                issuer: number == 1 ? nil : "Issuer", account: "e\u{301}", serial: nil,
                parameters: parameters, activatedUnixSeconds: -5,
                pendingUntilUnixSeconds: number == 0 ? 9 : nil, expiresUnixSeconds: 5_000,
                origin: .signed, warnings: [.shortSeed, .issuerDiffers],
                policy: TokenPolicy(attempts: 3))
        }
        let bytes = metadata.encoded
        #expect(Metadata(bytes, slotCount: 8) == metadata)
        #expect(Metadata(bytes, slotCount: 2) == nil)
        var parsedCount = 0
        for bit in bits(of: bytes) {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            if let parsed = Metadata(flipped, slotCount: 8) {
                #expect(parsed.encoded == flipped)
                parsedCount += 1
            }
        }
        #expect(parsedCount > 100, "names and times may change")
        for count in bytes.indices {
            #expect(Metadata(Array(bytes.prefix(count)), slotCount: 8) == nil)
        }
        #expect(Metadata(bytes + [UInt8](repeating: 0, count: 2048), slotCount: 8) == nil)
        let section = try workspace.withLocked { locked, _ in locked.publicSection }.encoded
        for bit in bits(of: section) {
            var flipped = section
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            if let parsed = PublicSection(flipped) { #expect(parsed.encoded == flipped) }
        }
    }

    @Test("A seed's slot opens whole, with zeros after the seed, or not at all")
    func seedSlot() throws {
        let key = RootKey(try SecureBytes(randomCount: 32))
        let parameters = newToken("", .counter(5)).parameters
        let place = SeedSlot.Place(
            keystoreID: [UInt8](repeating: 1, count: 16), tokenID: 7, parameters: parameters)
        for byteCount in [1, 16, 20, 63, 64] {
            let slot = try SeedSlot.encrypt(
                Seed(randomByteCount: byteCount), for: place, keystoreKey: key)
            #expect(slot.count == SeedSlot.byteCount)
            let seed = try SeedSlot.decrypt(slot[...], for: place, keystoreKey: key)
            let length = seed?.byteCount
            #expect(length == byteCount)
            for bit in stride(from: 0, to: slot.count * 8, by: 3) {
                var flipped = slot
                flipped[bit / 8] ^= 1 << UInt8(bit % 8)
                let opened = try SeedSlot.decrypt(flipped[...], for: place, keystoreKey: key)
                let isOpen = opened != nil
                #expect(!isOpen)
            }
        }
    }

    @Test(
        "The text rule of CONTRACT §1",
        arguments: [
            (" ", false), ("\u{3000}\u{a0}", false), ("\u{200b}\u{200d}", false),
            ("\u{3164}", false), ("\u{115f}\u{1160}", false), ("\u{ffa0}", false),
            ("\u{2800}", false), ("\u{ad}\u{feff}", false), ("\u{301}", false),
            ("\u{e0020}", false), (" a ", true), ("\u{200b}7", true), ("-", true),
            ("a", true), ("北京", true), ("e\u{301} ñ 👩🏽‍⚕️", true), ("", false), ("a\u{0}", false),
            ("a\n", false), ("\u{7f}", false), ("\u{85}", false), ("\u{2028}", false),
            ("\u{2029}", false), ("\u{202e}", false), ("\u{2066}", false), ("\u{200e}", false),
            ("\u{61c}", false),
            (String(repeating: "x", count: 64), true), (String(repeating: "x", count: 65), false),
            (String(repeating: "é", count: 33), false),
        ] as [(String, Bool)])
    func text(text: String, isAccepted: Bool) {
        #expect(isAcceptableText(text, bytes: 1...64) == isAccepted)
    }

    @Test("Noncharacters are rejected", arguments: [0xfdd0, 0xfdef, 0xfffe, 0xffff, 0x1_fffe])
    func noncharacters(value: UInt32) throws {
        let text = String(Character(try #require(Unicode.Scalar(value))))
        #expect(!isAcceptableText(text, bytes: 1...64))
    }

    /// Every bit of the first 512 bytes, and one of each byte of padding.
    private func bits(of bytes: [UInt8]) -> [Int] {
        (0..<bytes.count * 8).filter { $0 < 4_096 || $0 % 8 == $0 / 8 % 8 }
    }

    private func replaced<T: FixedWidthInteger>(
        _ bytes: [UInt8], _ offset: Int, _ value: T
    ) -> [UInt8] {
        var writer = ByteWriter()
        writer.append(value)
        var copy = bytes
        copy.replaceSubrange(offset..<offset + writer.bytes.count, with: writer.bytes)
        return copy
    }
}
