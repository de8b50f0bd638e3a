// Keystore/Vectors: one file a case of FORMAT.md §13, written by an independent writer in Python from
// that text alone. Each is read here and stops at the layer that it names.
import Foundation
import Linux
import OTP
import Synchronization
import Testing
import VectorFiles

@testable import Keystore

@Suite("FORMAT.md's vectors")
struct VectorTests {
    @Test("Each stops at the layer that it names", arguments: Vector.names)
    func vector(name: String) throws {
        let vector = try Vector(name)
        let workspace = try vector.unpacked()
        let outcome = try Outcome(vector, workspace)
        #expect(outcome.layer == vector["layer"])
        if let left = vector["attempts-left"] {
            #expect(outcome.attemptsLeft.map(String.init) == left)
        }
        if let attested = vector["attested"] {
            #expect(outcome.attested.map { "\($0)" } ?? "none" == attested)
        }
        if let request = vector["request"] { #expect(outcome.request ?? "none" == request) }
        #expect(outcome.tokens == vector.all("token"))
        if outcome.layer == "opens" {
            #expect(outcome.usedLinks == vector["names-used-links"].flatMap(UInt64.init) ?? 0)
        }
    }

    @Test("The chip's keys and the gate's policy are as the vectors say", arguments: Vector.chips)
    func chip(name: String) throws {
        let vector = try Vector(name)
        let parts = try #require(vector["chip"]).split(separator: "|").map(String.init)
        let limit = try guardedBytes(hexadecimalBytes(parts[1]))
        let share = try guardedBytes(hexadecimalBytes(parts[2]))
        let workspace = try vector.unpacked()
        guard
            case .locked(let locked) = try KeystoreCondition.examine(
                try workspace.folders(), machineID: vector.machineID),
            case .chip(let handle) = locked.protector
        else { throw UnexpectedCondition() }
        let pinKey = try DerivedKeys.key(parts[0], locked.image.header)
        let gateKey = try PairAuthorization.gate(pinKey.bytes)
        let shareKey = try PairAuthorization.share(pinKey.bytes, limit: limit)
        #expect(try publicBytes(gateKey) == hexadecimalBytes(parts[3]))
        #expect(try publicBytes(shareKey) == hexadecimalBytes(parts[4]))
        let pair = try CountedPair(handle: handle, share: share)
        let named = try ShareFile.pairs(try workspace.folders().state)
        #expect(named.contains(pair))
        let unlockKey = try locked.image.unlockKey(
            pinKey.bytes, DeviceShare(bytes: share), locked.deviceKey.binding)
        #expect(unlockKey.commitment == locked.image.sealedKey.commitment)
    }

    @Test("There are vectors, of every layer")
    func layers() throws {
        let layers = try Set(Vector.names.compactMap { try Vector($0)["layer"] })
        #expect(Vector.names.count > 150)
        #expect(
            layers == [
                "refused", "damaged", "foreign", "failed", "none", "erasing", "erased", "attempts",
                "locked", "wrong-pin", "damaged-inside", "damaged-seed", "opens",
            ])
    }

    /// The others are tried with a key that was derived once: `Outcome`.
    @Test(
        "With Argon2id and all: right, unbound, wrong, altered",
        arguments: ["opens-one-totp", "opens-unbound", "wrong-pin", "commitment-altered"])
    func wholeUnlock(name: String) throws {
        let vector = try Vector(name)
        let workspace = try vector.unpacked()
        let folders = try workspace.folders()
        let lock = try KeystoreLock.take(folders)
        guard
            case .locked(let locked) = try KeystoreCondition.examine(
                folders, machineID: vector.machineID)
        else { throw UnexpectedCondition() }
        let pin = try makePIN(try #require(vector["pin"]))
        var error: KeystoreError?
        do throws(KeystoreError) {
            var keystore = try locked.unlock(
                pin, folders: folders, lock: lock, policyLimit: 10, clock: { reading() },
                vouch: { _ in })
            try keystore.resetAttempts(folders, policyLimit: 10, now: reading().boot)
        } catch let caught { error = caught }
        let isRight = vector["layer"] == "opens"
        #expect(error == (isRight ? nil : .wrongPIN(attemptsLeft: 9, delaySeconds: 0)))
        let after = Judgement.locked(attemptsLeft: isRight ? 10 : 9)
        #expect(try workspace.judge(vector.machineID) == after)
    }
}

/// What a vector's files gave.
private struct Outcome {
    var layer = "locked"
    var attemptsLeft: Int?
    var attested: Int64?
    var request: String?
    var tokens: [String] = []
    var usedLinks: UInt64 = 0

    init(_ vector: Vector, _ workspace: Workspace) throws {
        do {
            try read(vector, workspace)
        } catch let error as KeystoreError {
            layer =
                switch error {
                case .problem: "refused"
                case .damaged: "damaged"
                case .foreign, .deviceKeyMissing: "foreign"
                case .machineIDUnreadable: "failed"
                default: "\(error)"
                }
        }
    }

    private mutating func read(_ vector: Vector, _ workspace: Workspace) throws {
        guard
            let folders = try KeystoreFolders.open(
                dataPath: workspace.data.path, statePath: workspace.state.path)
        else { throw UnexpectedCondition() }
        if let now = vector["now"].flatMap(Int64.init),
            let key = try RequestFile.read(folders.state, unixSeconds: now)
        {
            request = TextAlphabet.hexadecimal.text(key.publicKey)
        }
        switch try KeystoreCondition.examine(
            folders, machineID: vector.machineID, vouched: vector.vouched)
        {
        case .missing: layer = "none"
        case .erased: layer = "erased"
        case .erasing: layer = "erasing"
        case .attemptRecordsLost: layer = "attempts"
        case .locked(let locked):
            attemptsLeft = locked.attempts.attemptsLeft(policy: 10)
            attested = try Attestation.read(folders, of: locked)
            if let pin = vector["pin"] { try open(locked, pin: pin) }
        }
    }

    private mutating func open(_ locked: borrowing LockedKeystore, pin: String) throws {
        let pinKey = try DerivedKeys.key(pin, locked.image.header)
        let share = try locked.keeper.share(pinKey.bytes, tries: 10)
        let unlockKey = try locked.image.unlockKey(
            pinKey.bytes, share, locked.deviceKey.binding)
        guard isEqualInConstantTime(unlockKey.commitment, locked.image.sealedKey.commitment) else {
            layer = "wrong-pin"
            return
        }
        do throws(KeystoreError) {
            let key = RootKey(try locked.image.unwrap(unlockKey))
            let metadata = try locked.image.openMetadata(key, locked.deviceKey)
            layer = "opens"
            usedLinks = metadata.usedLinks
            for token in metadata.tokens {
                let seed = try locked.image.seed(of: token, key)
                if let seed {
                    tokens.append(try line(token, seed))
                } else {
                    layer = "damaged-seed"
                    tokens.append(line(token, code: "-"))
                }
            }
        } catch { layer = error == .damaged(.keystore) ? "damaged-inside" : "\(error)" }
    }

    private func line(_ token: TokenMetadata, _ seed: borrowing Seed) throws(KeystoreError)
        -> String
    {
        let algorithm = token.parameters.algorithm
        var generator = try CodeGenerator(seed: seed, algorithm: algorithm)
        let factor: UInt64
        switch token.parameters.factor {
        case .time(let seconds):
            factor = TimeStep(at: 1_111_111_109, seconds: seconds).number
        case .counter(let counter):
            guard counter <= TokenParameters.maximumCounter,
                !token.warnings.contains(.counterUnknown)
            else { return line(token, code: "-") }
            factor = counter
        }
        let code = token.parameters.digits.digits(
            of: generator.truncatedMACs(first: factor, count: 1)[0])
        return line(token, code: String(decoding: code, as: UTF8.self))
    }

    private func line(_ token: TokenMetadata, code: String) -> String {
        let (type, factor) =
            switch token.parameters.factor {
            case .time(let seconds): ("totp", "\(seconds)")
            case .counter(let counter): ("hotp", "\(counter)")
            }
        return [
            Vector.escaped(token.name), type, token.parameters.algorithm.name,
            "\(token.parameters.digits.value)", factor, code,
        ].joined(separator: "|")
    }
}

/// PIN keys that were derived once: all vectors have one salt.
private enum DerivedKeys {
    final class Key: Sendable {
        let bytes: SecureBytes
        init(_ bytes: consuming SecureBytes) { self.bytes = bytes }
    }

    private static let keys = Mutex<[[UInt8]: Key]>([:])

    static func key(_ pin: String, _ header: Header) throws -> Key {
        try keys.withLock { keys in
            let name = Array(pin.utf8) + header.salt
            if let key = keys[name] { return key }
            let key = Key(try derivePINKey(makePIN(pin), header: header))
            keys[name] = key
            return key
        }
    }
}

extension Vector {
    /// Those that say what the chip's protector derives.
    static let chips = names.filter { $0.hasPrefix("chip-share") }
        .filter { (try? Vector($0))?["chip"] != nil }

    /// What the log's head vouches for; that its vector says so is judged where the log is read.
    var vouched: Vouched? {
        let words = self["vouched"]?.split(separator: " ") ?? []
        guard words.count > 1, let attempts = UInt64(words[0]), let keystore = UInt64(words[1])
        else { return nil }
        var vouched = Vouched(attempts: attempts, keystore: keystore)
        if let count = words.dropFirst(3).first?.split(separator: "/"), count.count == 2 {
            vouched.count = VouchedCount(
                deviceName: TextAlphabet.hexadecimal.bytes(Array(words[2].utf8)) ?? [],
                failures: Int(count[0])!,
                limit: Int(count[1])!)
        }
        return words.last == "gone" ? vouched.withoutLog : vouched
    }

    /// What the vector's machine has.
    var machineID: MachineValues {
        var values: [MachineValues.Kind: FileReading] = [:]
        for (name, kind) in [
            ("machine-id", MachineValues.Kind.machineID), ("root-uuid", .rootUUID),
            ("partition-uuid", .partitionUUID), ("disk-serial", .diskSerial),
        ] {
            switch self[name] {
            case nil, "none": values[kind] = FileReading.absent
            case "unreadable": values[kind] = .unreadable
            case let value?: values[kind] = .bytes(Array(value.utf8))
            }
        }
        return MachineValues(values)
    }

    /// Its files and folders, in a workspace.
    func unpacked() throws -> Workspace {
        let workspace = try Workspace()
        try unpack(below: workspace.root)
        return workspace
    }
}
