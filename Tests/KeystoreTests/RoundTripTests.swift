// A keystore through real folders: made, filled, written, locked, opened again.
import Foundation
import Linux
import OTP
import Testing

@testable import Keystore

@Suite("A keystore through real folders")
struct RoundTripTests {
    @Test("Tokens, issuers, records and codes come back")
    func roundTrip() throws {
        let workspace = try SharedKeystore.copy()
        let issuer = try #require(
            VerifyingKey([UInt8](repeating: 7, count: 32)).map {
                TrustedIssuer(key: $0, name: "Example")
            })
        try workspace.withUnlocked { keystore, folders, lock in
            try keystore.trust(issuer)
            try keystore.trust(issuer)
            try keystore.add(prescribingRecord: "softtoken:prescribing#AQ")
            try keystore.add(prescribingRecord: "softtoken:prescribing#AQ")
            _ = try keystore.add(
                newToken(
                    "Third", algorithm: .sha512, issuer: nil,
                    policy: TokenPolicy(attempts: 5, separation: .strict)),
                seed: publishedSeed(byteCount: 64))
            try keystore.save(folders, lock: lock)
            try keystore.resetAttempts(folders, policyLimit: 5, now: reading().boot)
        }
        try workspace.withLocked { locked, _ in
            let section = locked.publicSection
            #expect(section.policy == TokenPolicy(attempts: 5, separation: .strict))
            #expect(section.prescribingRecords == ["softtoken:prescribing#AQ"])
            let (binding, generation) = (
                locked.binding(on: Workspace.machineID), locked.generation
            )
            #expect(binding == .machineID && generation >= 2)
            let (limit, isOlder) = (locked.attempts.record.limit, locked.isPutBack)
            #expect(limit == 5 && !isOlder)
        }
        try workspace.withUnlocked { keystore, _, _ in
            #expect(keystore.tokens.map(\.name) == ["Pharmacy", "Clinic", "Third"])
            #expect(keystore.tokens.map(\.issuer) == ["Example Clinic", "Example Clinic", nil])
            #expect(keystore.issuers == [issuer])
            let codes = try keystore.tokens.map { try firstCode(keystore, $0.id) }
            #expect(codes == ["94287082", "46119246", "90693936"])
        }
    }

    @Test("A renamed token keeps its seed, a removed one leaves nothing, a taken name is refused")
    func renameAndRemove() throws {
        let workspace = try SharedKeystore.copy()
        let slots = try workspace.withLocked { locked, _ in locked.image.slots }
        try workspace.withUnlocked { keystore, folders, lock in
            let ids = keystore.tokens.map(\.id)
            for name in ["Clinic", "Cli\u{301}nic", "Clinic2"] {
                _ = try? keystore.rename(ids[1], to: name)
            }
            #expect(keystore.tokens[1].name == "Clinic2")
            expect(.nameTaken) { () throws(KeystoreError) in
                try keystore.rename(ids[1], to: "Pharmacy")
            }
            try keystore.rename(ids[0], to: "Pharmacy")
            try keystore.rename(ids[0], to: "caf\u{e9}")
            expect(.nameTaken) { () throws(KeystoreError) in
                try keystore.rename(ids[1], to: "cafe\u{301}")
            }
            for alike in [
                "caf\u{e9} ", "\u{200B}caf\u{e9}", "ca\u{34F}f\u{e9}\u{A0}",
                "\u{441}\u{430}f\u{e9}",
            ] {
                expect(.nameTaken) { () throws(KeystoreError) in
                    try keystore.rename(ids[1], to: alike)
                }
            }
            try keystore.remove(ids[1])
            expect(.tokenMissing) { () throws(KeystoreError) in try keystore.remove(ids[1]) }
            expect(.tokenMissing) { () throws(KeystoreError) in
                try keystore.rename(ids[1], to: "x")
            }
            expect(.tokenMissing) { () throws(KeystoreError) in
                _ = try keystore.codeGenerator(ids[1])
            }
            try keystore.save(folders, lock: lock)
            try keystore.resetAttempts(folders, policyLimit: 10, now: reading().boot)
            #expect(try firstCode(keystore, ids[0]) == "94287082")
        }
        let after = try workspace.withLocked { locked, _ in locked.image.slots }
        #expect(after.prefix(112) == slots.prefix(112), "another token's seed was touched")
        #expect(after[112..<224] != slots[112..<224], "the removed seed is still there")
        #expect(after.dropFirst(224) == slots.dropFirst(224))
    }

    @Test("One token's seed is opened, and only that")
    func oneSeedAlone() throws {
        let workspace = try SharedKeystore.copy()
        try workspace.withUnlocked { keystore, _, _ in
            let ids = keystore.tokens.map(\.id)
            // The second seed's slot is damaged; the first one's code doesn't need it.
            keystore.image.slots[112 + 40] ^= 1
            let code = try firstCode(keystore, ids[0])
            #expect(code == "94287082")
            expect(.damaged(.keystore)) { () throws(KeystoreError) in
                _ = try keystore.codeGenerator(ids[1])
            }
            // A slot copied over another opens for neither.
            keystore.image.slots.replaceSubrange(112..<224, with: keystore.image.slots[0..<112])
            expect(.damaged(.keystore)) { () throws(KeystoreError) in
                _ = try keystore.codeGenerator(ids[1])
            }
        }
    }

    @Test("A HOTP counter is on disk after use, moves by one, and ends at 2^53 - 1")
    func counterAtItsEnd() throws {
        let workspace = try SharedKeystore.copy()
        try workspace.withUnlocked { keystore, folders, lock in
            let clinic = keystore.tokens[1].id
            #expect(try keystore.useCounter(clinic) == 5)
            let last = try keystore.add(
                newToken("Last", .counter(TokenParameters.maximumCounter)),
                seed: publishedSeed(byteCount: 20))
            #expect(try keystore.useCounter(last) == (1 << 53) - 1)
            try keystore.save(folders, lock: lock)
            try keystore.resetAttempts(folders, policyLimit: 10, now: reading().boot)
        }
        try workspace.withUnlocked { keystore, _, _ in
            let ids = keystore.tokens.map(\.id)
            let counter = try keystore.useCounter(ids[1])
            #expect(counter == 6)
            expect(.counterExhausted) { () throws(KeystoreError) in
                _ = try keystore.useCounter(ids[2])
            }
        }
    }

    @Test("After a change of PIN the old one fails, the tokens stay, and an old copy is told")
    func changeOfPIN() throws {
        let workspace = try SharedKeystore.copy()
        let old = try workspace.bytes("data/keystore")
        try workspace.withUnlocked { keystore, folders, lock in
            try keystore.setPIN(try makePIN("4839"), in: folders, policyLimit: 10)
            try keystore.save(folders, lock: lock)
            try keystore.resetAttempts(folders, policyLimit: 10, now: reading().boot)
        }
        #expect(try workspace.bytes("data/keystore")[24..<40] != old[24..<40], "the same salt")
        #expect(
            try keystoreError { try workspace.withUnlocked { _, _, _ in } }
                == .wrongPIN(attemptsLeft: 9, delaySeconds: 0))
        try workspace.withUnlocked(pin: "4839") { keystore, folders, _ in
            #expect(keystore.tokens.map(\.name) == ["Pharmacy", "Clinic"])
            #expect(try firstCode(keystore, keystore.tokens[0].id) == "94287082")
            try keystore.resetAttempts(folders, policyLimit: 10, now: reading().boot)
        }
        try workspace.replace("data/keystore", old)
        let isOlder = try workspace.withLocked { locked, _ in locked.isPutBack }
        #expect(isOlder)
    }

    @Test("A keystore made without a machine-id is unbound, and opens under any")
    func unbound() throws {
        let workspace = try Workspace()
        let folders = try workspace.folders()
        let lock = try KeystoreLock.take(folders)
        let unreadable = MachineValues([.machineID: .unreadable])
        let none = MachineValues([:])
        expect(.machineIDUnreadable) { () throws(KeystoreError) in
            _ = try create(folders, lock, machineID: unreadable)
        }
        #expect(try workspace.names().isEmpty)
        var keystore = try create(folders, lock, machineID: none)
        #expect(try workspace.judge() == .missing, "a cut creation")
        try keystore.save(folders, lock: lock)
        for machineID in [none, unreadable, Workspace.machineID, Workspace.otherMachineID] {
            #expect(try workspace.judge(machineID) == .locked(attemptsLeft: 10))
        }
        expect(.changed) { () throws(KeystoreError) in
            _ = try create(folders, lock, machineID: none)
        }
        #expect(try workspace.judge() == .locked(attemptsLeft: 10))
    }

    @Test("Bound to machine-id and disk it opens with all of them, and with nothing less")
    func boundToStorage() throws {
        let workspace = try Workspace()
        let folders = try workspace.folders()
        let lock = try KeystoreLock.take(folders)
        var values = [
            MachineValues.Kind.machineID: FileReading.bytes(Array("5f0c".utf8)),
            .rootUUID: .bytes(Array("0b6f".utf8)), .diskSerial: .bytes(Array("S4EV".utf8)),
            .partitionUUID: .unreadable,
        ]
        var keystore = try create(folders, lock, machineID: MachineValues(values))
        try keystore.save(folders, lock: lock)
        let binding = try binding(folders, MachineValues(values))
        #expect(binding == .disk)
        for kind in [MachineValues.Kind.machineID, .rootUUID, .diskSerial] {
            for (reading, expected) in [
                (FileReading.bytes(Array("else".utf8)), KeystoreError.foreign),
                (.absent, .machineIDUnreadable), (.unreadable, .machineIDUnreadable),
            ] {
                var others = values
                others[kind] = reading
                #expect(try workspace.judge(MachineValues(others)) == .failed(expected))
            }
        }
        // What it was not bound to may come and go.
        values[.partitionUUID] = .bytes(Array("c9a4".utf8))
        #expect(try workspace.judge(MachineValues(values)) == .locked(attemptsLeft: 10))
    }

    private func binding(
        _ folders: KeystoreFolders, _ machine: MachineValues
    ) throws -> HomeBinding? {
        guard
            case .locked(let locked) = try KeystoreCondition.examine(folders, machineID: machine)
        else { return nil }
        return locked.binding(on: machine)
    }

    @Test("An MBR disk's partition is guessed, where no serial is asked for, too")
    func guessableDisk() {
        let mbr = FileReading.bytes(Array("8d4b1c2a-02".utf8))
        let gpt = FileReading.bytes(Array("3f1b5c6e-8e3d-4f2a-9c1b-7d6e5f4a3b2c".utf8))
        let weak: BoundValues = BoundValues([.machineID, .rootUUID, .partitionUUID])
        #expect(weak.strength(on: MachineValues([.partitionUUID: mbr])) == .guessableDisk)
        #expect(weak.strength(on: MachineValues([.partitionUUID: gpt])) == .disk)
        #expect(BoundValues.all.strength(on: MachineValues([.partitionUUID: mbr])) == .disk)
        let other = BoundValues([.machineID, .rootUUID])
        #expect(other.strength(on: MachineValues([.partitionUUID: mbr])) == .disk)
        #expect(BoundValues.machineID.strength(on: MachineValues([:])) == .machineID)
        #expect(BoundValues([]).strength(on: MachineValues([:])) == .nothing)
    }

    @Test("A new PIN draws a new keystore key: the old one opens nothing that comes after")
    func newKeyWithNewPIN() throws {
        let workspace = try SharedKeystore.copy()
        try workspace.withUnlocked { keystore, folders, lock in
            let (oldSlots, oldTokens) = (keystore.image.slots, keystore.tokens)
            let oldKey = RootKey(try copy(0..<32, of: keystore.keystoreKey.bytes))
            try keystore.setPIN(try makePIN("4839"), in: folders, policyLimit: 10)
            try keystore.save(folders, lock: lock)
            let isOldKey = keystore.keystoreKey.bytes.matches(oldKey.bytes)
            #expect(!isOldKey)
            let metadataKey = try oldKey.subkey(0, "stmetada")
            let isMetadataOpen =
                keystore.image.metadata.decrypt(
                    key: metadataKey, additional: keystore.image.headerHash) != nil
            #expect(!isMetadataOpen)
            for token in oldTokens {
                let isOpen = try keystore.image.seed(of: token, oldKey) != nil
                #expect(!isOpen)
            }
            #expect(keystore.image.slots != oldSlots)
            #expect(try firstCode(keystore, keystore.tokens[0].id) == "94287082")
            try keystore.resetAttempts(folders, policyLimit: 10, now: reading().boot)
        }
        try workspace.withUnlocked(pin: "4839") { keystore, folders, _ in
            #expect(try firstCode(keystore, keystore.tokens[0].id) == "94287082")
            try keystore.resetAttempts(folders, policyLimit: 10, now: reading().boot)
        }
    }

    @Test("After an older keystore was put back its HOTP tokens make no OTP, for good")
    func olderKeystore() throws {
        let workspace = try SharedKeystore.copy()
        let old = try workspace.bytes("data/keystore")
        try workspace.withUnlocked { keystore, folders, lock in
            for _ in 0..<3 {
                _ = try keystore.useCounter(keystore.tokens[1].id)
                try keystore.save(folders, lock: lock)
            }
            try keystore.resetAttempts(folders, policyLimit: 10, now: reading().boot)
        }
        let newest = try workspace.bytes("data/keystore")
        try workspace.replace("data/keystore", old)
        // Killed right after the PIN: the mark is on the disk, and stays.
        try workspace.withUnlocked { keystore, _, _ in try expectNoHOTP(keystore) }
        try workspace.withUnlocked { keystore, folders, lock in
            try expectNoHOTP(keystore)
            try keystore.rename(keystore.tokens[1].id, to: "Renamed")
            try keystore.save(folders, lock: lock)
            try keystore.resetAttempts(folders, policyLimit: 10, now: reading().boot)
        }
        // The newest of before is older than what was written since.
        try workspace.replace("data/keystore", newest)
        let isOlder = try workspace.withLocked { locked, _ in locked.isPutBack }
        #expect(isOlder)
    }

    private func expectNoHOTP(_ keystore: borrowing UnlockedKeystore) throws {
        let (totp, hotp) = (keystore.tokens[0], keystore.tokens[1])
        #expect(totp.warnings == [] && hotp.warnings == [.counterUnknown])
        expect(.counterUnknown) { () throws(KeystoreError) in
            _ = try keystore.codeGenerator(hotp.id)
        }
        #expect(try firstCode(keystore, totp.id) == "94287082")
    }

    @Test("A record below what the log's head says leaves one attempt, and goes on above it")
    func olderRecord() throws {
        let workspace = try SharedKeystore.copy()
        let folders = try workspace.folders()
        let lock = try KeystoreLock.take(folders)
        let generation = try workspace.attempts().record.generation
        let head = Vouched(attempts: generation + 7, keystore: 1)
        func locked() throws -> LockedKeystore {
            guard
                case .locked(let locked) = try KeystoreCondition.examine(
                    folders, machineID: Workspace.machineID, vouched: head)
            else { throw UnexpectedCondition() }
            return locked
        }
        let left = try locked().attempts.attemptsLeft(policy: 10)
        #expect(left == 1)
        var keystore = try locked().unlock(
            makePIN(Workspace.pin), folders: folders, lock: lock, policyLimit: 10,
            clock: { reading() }, vouch: { _ in })
        #expect(keystore.vouched.attempts == head.attempts + 1)
        #expect(keystore.tokens[1].warnings == [.counterUnknown])
        try keystore.resetAttempts(folders, policyLimit: 10, now: reading().boot)
        let after = try locked().attempts
        #expect(after.attemptsLeft(policy: 10) == 10 && after.record.isVouched)
        #expect(after.record.generation > head.attempts + 1)
        // Without the head the record that was written beside it is altered.
        #expect(try workspace.judge() == .locked(attemptsLeft: 1))
    }

    @Test("A key is trusted under one name, which is known without a PIN and not told")
    func issuersAndNames() throws {
        let workspace = try SharedKeystore.copy()
        // RFC 8032 §7.1, tests 1 and 2.
        let key = try publicKey("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
        let other = try publicKey(
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
        func trusts() throws -> [IssuerTrust] {
            try workspace.withLocked { locked, _ in
                try [
                    locked.trust(of: key, named: "Example Clinic"),
                    locked.trust(of: key, named: "RXNT"),
                    locked.trust(of: other, named: "Example Clinic"),
                    locked.trust(of: other, named: "Another"),
                ]
            }
        }
        #expect(try trusts() == [.unknown, .unknown, .unknown, .unknown])
        try workspace.withUnlocked { keystore, folders, lock in
            try keystore.trust(TrustedIssuer(key: key, name: "Example Clinic"))
            try keystore.save(folders, lock: lock)
            #expect(try trusts() == [.trusted, .otherName, .otherKey, .unknown])
            try keystore.trust(TrustedIssuer(key: key, name: "RXNT"))
            #expect(keystore.issuers.count == 1)
            try keystore.save(folders, lock: lock)
            #expect(try trusts() == [.otherName, .trusted, .unknown, .unknown])
            try keystore.resetAttempts(folders, policyLimit: 10, now: reading().boot)
        }
        // Whoever has the public section alone, and the key, can't tell whose it is.
        let section = try workspace.withLocked { locked, _ in locked.publicSection }
        #expect(!section.encoded.contains(Array("RXNT".utf8)))
        #expect(!section.encoded.contains(key.bytes))
    }

    @Test("The policy that was seen stays, and is nobody's to take out who lacks the PIN")
    func seenPolicy() throws {
        let workspace = try SharedKeystore.copy()
        let policy = SeenPolicy(
            policy: TokenPolicy(attempts: 3, separation: .strict), forbidsUnsigned: true)
        #expect(
            try workspace.withLocked { locked, _ in locked.publicSection.seenPolicy }
                == SeenPolicy())
        try workspace.withUnlocked { keystore, folders, lock in
            keystore.keep(seenPolicy: policy)
            try keystore.save(folders, lock: lock)
            try keystore.rename(keystore.tokens[0].id, to: "Renamed")
            try keystore.save(folders, lock: lock)
            try keystore.resetAttempts(folders, policyLimit: 10, now: reading().boot)
        }
        try workspace.withLocked { locked, _ in
            #expect(locked.publicSection.seenPolicy == policy)
            // With the device key in hand: the file is whole, and the PIN doesn't open it.
            var image = locked.image
            image.publicSection.added?.seenPolicy = SeenPolicy()
            try workspace.replace("data/keystore", image.encoded(by: locked.deviceKey))
        }
        #expect(
            try workspace.withLocked { locked, _ in locked.publicSection.seenPolicy }
                == SeenPolicy())
        let error = try keystoreError { try workspace.withUnlocked { _, _, _ in } }
        #expect(error == .wrongPIN(attemptsLeft: 9, delaySeconds: 0))
    }

    private func publicKey(_ text: String) throws -> VerifyingKey {
        try #require(VerifyingKey(try hexadecimalBytes(text)))
    }

    @Test("Under another machine-id it is another device's; without one it fails")
    func otherMachine() throws {
        let workspace = try SharedKeystore.original()
        #expect(try workspace.judge(Workspace.otherMachineID) == .failed(.foreign))
        #expect(try workspace.judge(MachineValues([:])) == .failed(.machineIDUnreadable))
        #expect(try workspace.judge() == .locked(attemptsLeft: 10))
    }

    @Test("A refresh reads what others wrote, and rejects another PIN's or an older keystore")
    func refresh() throws {
        let workspace = try SharedKeystore.copy()
        let old = try workspace.bytes("data/keystore")
        let unlocked = try workspace.copy()
        try workspace.withUnlocked { mine, folders, lock in
            try mine.resetAttempts(folders, policyLimit: 10, now: reading().boot)
            // Another process, in the time that a person takes to choose.
            try unlocked.withUnlocked { other, otherFolders, otherLock in
                _ = try other.useCounter(other.tokens[1].id)
                try other.save(otherFolders, lock: otherLock)
                try workspace.replace("data/keystore", unlocked.bytes("data/keystore"))
                try mine.refresh(folders, machineID: Workspace.machineID, vouched: nil)
                #expect(try mine.useCounter(mine.tokens[1].id) == 6)
                try mine.save(folders, lock: lock)
                try workspace.replace("data/keystore", old)
                expect(.changed) { () throws(KeystoreError) in
                    try mine.refresh(folders, machineID: Workspace.machineID, vouched: nil)
                }
                try other.setPIN(try makePIN("4839"), in: otherFolders, policyLimit: 10)
                for _ in 0..<4 { try other.save(otherFolders, lock: otherLock) }
                try workspace.replace("data/keystore", unlocked.bytes("data/keystore"))
                expect(.changed) { () throws(KeystoreError) in
                    try mine.refresh(folders, machineID: Workspace.machineID, vouched: nil)
                }
            }
        }
    }

    private func create(
        _ folders: KeystoreFolders, _ lock: KeystoreLock, machineID: MachineValues
    ) throws(KeystoreError) -> UnlockedKeystore {
        let pin: PINDigits
        do { pin = try makePIN(Workspace.pin) } catch { throw .outOfMemory }
        return try UnlockedKeystore.create(
            pin, folders: folders, lock: lock, machineID: machineID, policyLimit: 10,
            clock: { reading() })
    }
}

/// Eight digits of time step 1, in the token's algorithm.
func firstCode(_ keystore: borrowing UnlockedKeystore, _ id: UInt64) throws -> String {
    var generator = try keystore.codeGenerator(id)
    let truncated = generator.truncatedMACs(first: 1, count: 1)[0]
    return String(decoding: DigitCount(8)!.digits(of: truncated), as: UTF8.self)
}

/// Runs a step that has to fail with this error.
func expect(
    _ expected: KeystoreError, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws(KeystoreError) -> Void
) {
    var caught: KeystoreError?
    do throws(KeystoreError) { try body() } catch { caught = error }
    #expect(caught == expected, sourceLocation: sourceLocation)
}
