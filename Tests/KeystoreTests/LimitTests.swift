// What a keystore holds at most, and what its size tells.
import Linux
import OTP
import Testing

@testable import Keystore

@Suite("Limits and padding")
struct LimitTests {
    @Test("The file's size is the same for one to eight tokens, whatever their names' lengths")
    func padding() throws {
        let workspace = try SharedKeystore.copy()
        let size = try workspace.bytes("data/keystore").count
        try workspace.withUnlocked { keystore, folders, lock in
            for id in keystore.tokens.map(\.id) { try keystore.remove(id) }
            for number in 1...8 {
                let name = String(repeating: "\(number)", count: number == 8 ? 64 : number * 7)
                _ = try keystore.add(newToken(name), seed: publishedSeed(byteCount: number * 8))
                try keystore.save(folders, lock: lock)
                #expect(try workspace.bytes("data/keystore").count == size, "\(number) tokens")
            }
            _ = try keystore.add(newToken("ninth"), seed: publishedSeed(byteCount: 20))
            try keystore.save(folders, lock: lock)
            #expect(try workspace.bytes("data/keystore").count == size + 8 * 112)
        }
    }

    @Test("More tokens, issuers or records than fit are refused, and the keystore stays")
    func full() throws {
        let workspace = try SharedKeystore.copy()
        let before = try workspace.bytes("data/keystore")
        try workspace.withUnlocked { keystore, folders, lock in
            for number in 0..<64 { try keystore.add(prescribingRecord: "record-\(number)") }
            expect(.full) { () throws(KeystoreError) in
                try keystore.add(prescribingRecord: "record-64")
            }
            for number in UInt8(0)..<255 { try keystore.trust(issuer(number)) }
            expect(.full) { () throws(KeystoreError) in try keystore.trust(issuer(255)) }
            #expect(keystore.distrust(issuer(3).key) && !keystore.distrust(issuer(3).key))
            try keystore.trust(issuer(255))
            fill(&keystore, tokens: Metadata.maximumTokens)
            let seed = try publishedSeed(byteCount: 20)
            expect(.full) { () throws(KeystoreError) in
                _ = try keystore.add(newToken("one more"), seed: seed)
            }
            expect(.full) { () throws(KeystoreError) in try keystore.save(folders, lock: lock) }
        }
        #expect(try workspace.bytes("data/keystore") == before)
    }

    @Test("Slots grow by eight, and a removed token's is used again")
    func slots() throws {
        let workspace = try SharedKeystore.copy()
        try workspace.withUnlocked { keystore, folders, lock in
            for number in 3...17 {
                _ = try keystore.add(
                    newToken("Token \(number)"), seed: publishedSeed(byteCount: 20))
            }
            #expect(keystore.image.slots.count == 24 * 112)
            try keystore.remove(keystore.tokens[4].id)
            let id = try keystore.add(newToken("Again"), seed: publishedSeed(byteCount: 20))
            #expect(keystore.tokens.first { $0.id == id }?.slot == 4)
            #expect(Set(keystore.tokens.map(\.slot)).count == 17)
            try keystore.save(folders, lock: lock)
            #expect(try firstCode(keystore, id) == "94287082")
        }
        #expect(try workspace.judge() == .locked(attemptsLeft: 9), "no finish: the try counts")
    }

    private func issuer(_ number: UInt8) -> TrustedIssuer {
        TrustedIssuer(
            key: VerifyingKey([UInt8](repeating: number, count: 32))!, name: "\(number)")
    }

    /// As many tokens with texts at their longest.
    private func fill(_ keystore: inout UnlockedKeystore, tokens: Int) {
        let model = keystore.tokens[0]
        keystore.metadata.tokens = (0..<tokens).map { number in
            TokenMetadata(
                id: UInt64(number + 1), slot: UInt32(number), name: "\(number)",
                issuer: String(repeating: "i", count: 255),
                account: String(repeating: "a", count: 255), serial: nil,
                parameters: model.parameters, activatedUnixSeconds: 1, pendingUntilUnixSeconds: nil,
                expiresUnixSeconds: nil, origin: .signed, warnings: [], policy: TokenPolicy())
        }
    }
}
