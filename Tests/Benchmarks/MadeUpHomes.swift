// Homes with keystores of 1 and of 1,000 tokens, made in one go: activating 1,000 links would take
// 1,000 times the price of a PIN.
import Glibc
import Keystore
import KeystoreIssuer
import Linux
import OTP

struct SetUpFailure: Error {
    let reason: String
}

/// A home and the keystore in it.
struct MadeUpHome {
    let path: String
    var dataPath: String { path + "/.local/share/softtoken" }
    var statePath: String { path + "/.local/state/softtoken" }

    init(_ path: String, tokens count: Int, pin: String) throws {
        self.path = path
        guard mkdir(path, 0o700) == 0 else { throw SetUpFailure(reason: "can't make \(path)") }
        guard count > 0 else { return }
        let folders = try KeystoreFolders.openOrCreate(dataPath: dataPath, statePath: statePath)
        let lock = try KeystoreLock.take(folders)
        var keystore = try UnlockedKeystore.create(
            madePIN(pin), folders: folders, lock: lock, machineID: MachineValues.read(),
            policyLimit: 10, clock: ClockReading.now)
        for number in 1...count {
            _ = try keystore.add(newToken(number), seed: Seed(randomByteCount: 20))
        }
        try keystore.save(folders, lock: lock)
        try keystore.resetAttempts(folders, policyLimit: 10, now: ClockReading.now().boot)
    }

    private func newToken(_ number: Int) throws -> NewToken {
        guard let digits = DigitCount(6) else { throw SetUpFailure(reason: "six digits") }
        return NewToken(
            name: tokenName(String(number)), issuer: "Example Token Authority",
            account: "dr.\(number)@example.org", serial: "ST-\(number)",
            parameters: TokenParameters(
                algorithm: .sha1, digits: digits, factor: .time(stepSeconds: 30)),
            activatedUnixSeconds: try ClockReading.now().unixSeconds,
            pendingUntilUnixSeconds: nil, expiresUnixSeconds: nil, origin: .signed, warnings: [],
            policy: TokenPolicy())
    }
}

func tokenName(_ number: String) -> String { "Token \(number)." }

func madePIN(_ digits: String) throws -> PINDigits {
    guard let pin = try PINDigits(Array(digits.utf8).span) else {
        throw SetUpFailure(reason: "four digits")
    }
    return pin
}

/// The homes of one run.
struct MadeUpHomes {
    let pin = "8206"
    let one: MadeUpHome
    let many: MadeUpHome
    private let path: String

    init() throws {
        path = "/tmp/softtoken-bench-\(getpid())"
        guard mkdir(path, 0o700) == 0 else { throw SetUpFailure(reason: "can't make \(path)") }
        one = try MadeUpHome(path + "/one", tokens: 1, pin: pin)
        many = try MadeUpHome(path + "/many", tokens: 1000, pin: pin)
    }

    func remove() { MadeUpHomes.remove(path) }

    private static func remove(_ path: String) {
        for name in systemFolderNames(path) { remove(path + "/" + name) }
        guard unlink(path) != 0 else { return }
        rmdir(path)
    }
}
