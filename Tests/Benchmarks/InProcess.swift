import Activation
// What is measured inside of one process: OTPs, the unlock, links.
import COath
import Glibc
import Keystore
import KeystoreIssuer
import Linux
import OTP

/// DESIGN §11: 2.5 × liboath or more, on one core.
func measureOTPs() throws {
    print("OTPs a second, keyed once (7 rounds)")
    let count = 200_000
    for algorithm in HashAlgorithm.allCases {
        var mine: [Double] = []
        var theirs: [Double] = []
        for _ in 0..<7 {
            let seed = try Seed(randomByteCount: algorithm.macByteCount)
            var generator = try CodeGenerator(seed: seed, algorithm: algorithm)
            mine.append(
                try seconds {
                    guard generator.truncatedMACs(first: 0, count: count).count == count else {
                        throw SetUpFailure(reason: "OTPs are missing")
                    }
                } / Double(count))
            theirs.append(try seconds { try makeWithLiboath(algorithm, count) } / Double(count))
        }
        let base = Figures(theirs)
        let figures = Figures(mine)
        print(
            "  \(algorithm.name)  softtoken \(Int(1 / figures.median)) a second, liboath "
                + "\(Int(1 / base.median)): \(rounded(base.median / figures.median)) × "
                + "(of the least \(rounded(base.minimum / figures.minimum)) ×)")
    }
}

private func makeWithLiboath(_ algorithm: HashAlgorithm, _ count: Int) throws {
    let secret = [CChar](repeating: 0x31, count: algorithm.macByteCount)
    var output = [CChar](repeating: 0, count: 16)
    for counter in 0..<count {
        let status =
            switch algorithm {
            case .sha1:
                oath_hotp_generate(
                    secret, secret.count, UInt64(counter), 6, false, Int.max, &output)
            case .sha256, .sha512:
                oath_totp_generate2(
                    secret, secret.count, time_t(counter * 30), 30, 0, 6,
                    Int32(
                        algorithm == .sha256
                            ? OATH_TOTP_HMAC_SHA256.rawValue : OATH_TOTP_HMAC_SHA512.rawValue),
                    &output)
            }
        guard status == 0 else { throw SetUpFailure(reason: "liboath failed") }
    }
}

/// DESIGN §11: Argon2id is 95 % of an unlock or more.
func measureUnlock(_ home: MadeUpHome) throws {
    print("an unlock (9 rounds)")
    guard
        let folders = try KeystoreFolders.open(dataPath: home.dataPath, statePath: home.statePath)
    else { throw SetUpFailure(reason: "no keystore") }
    let pin = try madePIN("8206")
    var whole: [Double] = []
    var kdf: [Double] = []
    var shares: [Double] = []
    var processorShares: [Double] = []
    for _ in 0..<9 {
        let lock = try KeystoreLock.take(folders)
        let start = processorSeconds()
        var unlocked: UnlockedKeystore?
        whole.append(
            try seconds {
                guard
                    case .locked(let locked) = try KeystoreCondition.examine(
                        folders, machineID: MachineValues.read())
                else { throw SetUpFailure(reason: "no keystore") }
                // Without the log's head, whose write is the core's.
                var keystore = try locked.unlock(
                    pin, folders: folders, lock: lock, policyLimit: 10, clock: ClockReading.now,
                    vouch: { _ in })
                try keystore.resetAttempts(folders, policyLimit: 10, now: ClockReading.now().boot)
                unlocked = consume keystore
            })
        let wholeProcessor = processorSeconds() - start
        guard var keystore = unlocked.take() else { throw SetUpFailure(reason: "no keystore") }
        // A new PIN is derived and not written: the same Argon2id alone.
        let startOfKDF = processorSeconds()
        kdf.append(try seconds { try keystore.setPIN(pin, in: folders, policyLimit: 10) })
        processorShares.append((processorSeconds() - startOfKDF) / wholeProcessor * 100)
        shares.append(kdf[kdf.count - 1] / whole[whole.count - 1] * 100)
    }
    row("whole, fsyncs included", Figures(whole), unit: "ms", scale: 1000)
    row("Argon2id alone", Figures(kdf), unit: "ms", scale: 1000)
    row("Argon2id's share, the disk's time included", Figures(shares), unit: "%")
    row("Argon2id's share of processor time", Figures(processorShares), unit: "%")
}

/// Links made and read: those sealed to a device, where no Argon2id hides the rest.
func measureLinks() throws {
    print("signed links, one core (5 rounds of 500)")
    let key = try SigningKey()
    let request = EnrolmentRequest(publicKey: try RequestKey().publicKey)
    guard let digits = DigitCount(6) else { throw SetUpFailure(reason: "six digits") }
    let parameters = TokenParameters(
        algorithm: .sha1, digits: digits, factor: .time(stepSeconds: 30))
    var links: [[UInt8]] = []
    var making: [Double] = []
    var reading: [Double] = []
    for _ in 0..<5 {
        links = []
        making.append(
            try seconds {
                for number in 0..<500 {
                    let content = SignedLinkContent(
                        issuer: "Example Token Authority", account: "dr.\(number)@example.org",
                        serial: "ST-\(number)", parameters: parameters,
                        issuedAtUnixSeconds: 1_750_000_000, expiresUnixSeconds: 1_750_600_000)
                    let seed = try Seed(randomByteCount: 20)
                    let link = try content.link(seed, request: request, signedBy: key)
                    links.append(Array(link.utf8))
                }
            } / 500)
        reading.append(
            try seconds {
                for link in links {
                    guard case .signed = try readLink(link.span) else {
                        throw SetUpFailure(reason: "a link of ours is signed")
                    }
                }
            } / 500)
    }
    for (name, figures) in [("made (and read again)", making), ("read and verified", reading)] {
        let figures = Figures(figures)
        print(
            "  \(name): median \(Int(1 / figures.median)) a second, "
                + "most \(Int(1 / figures.minimum)) a second")
    }
    let code = try ActivationCode()
    let seed = try Seed(randomByteCount: 20)
    let content = SignedLinkContent(
        issuer: "A", account: "a", serial: "S", parameters: parameters,
        issuedAtUnixSeconds: 1_750_000_000, expiresUnixSeconds: 1_750_600_000)
    let withCode = try (0..<7).map { _ in
        try seconds { _ = try content.link(seed, code: code, signedBy: key) }
    }
    row("made for an activation code", Figures(withCode), unit: "ms", scale: 1000)
}
