// What every link of a run has in common, on the command line: CONTRACT §6, §4 (limits).
import Activation
import ArgumentParser
import Device
import Keystore
import KeystoreIssuer

struct LinkOptions: ParsableArguments {
    @Option(help: .taking("file", "The issuer's signing key, from keygen."))
    var key: String

    @Option(help: .taking("url", "An https address that carries the link, instead of softtoken:."))
    var carrier: String?

    @Option(
        parsing: .unconditional,
        help: .taking("time", "How long the link can be activated: 600, 10m, 12h, 7d."))
    var valid = TimeLength(seconds: 604_800)

    @Option(
        parsing: .unconditional,
        help: .taking(
            "time", "For how long after its activation the token is pending: 600, 10m, 1h."))
    var pending = TimeLength(seconds: 0)

    @Option(
        parsing: .unconditional,
        help: .taking("n", "Wrong PINs in a row that erase the keystore: 3 to 10."))
    var attempts: Int?

    @Option(
        parsing: .unconditional,
        help: .taking("seconds", "The longest rolling display: 30 to 900."))
    var session: Int?

    @Option(
        help: .taking("policy", "What an unverified device needs: attest, or strict to refuse it."))
    var separation: SeparationName?

    @Option(help: .taking("record", "The record of a prescribing computer; may be repeated."))
    var prescribing: [String] = []

    @Option(
        help: .taking("file", "The verifier's records, which hold the seeds; new ones are added."))
    var records: String?

    @Option(help: .taking("n", "A descriptor with the key that encrypts the records' seeds."))
    var recordsKeyFd: Int32?

    func validate() throws {
        try require(valid.seconds, in: 60...315_360_000, "--valid", of: "seconds")
        try require(pending.seconds, in: 0...86_400, "--pending", of: "seconds")
        if let attempts { try require(attempts, in: TokenPolicy.attemptLimits, "--attempts") }
        if let session { try require(session, in: TokenPolicy.sessionSeconds, "--session") }
        guard prescribing.count <= 8 else {
            throw ValidationError("--prescribing can be given 8 times at most")
        }
        for record in prescribing where (try? PrescribingRecord(parsing: record)) == nil {
            throw ValidationError(
                "--prescribing takes what softtoken device register prints, whole")
        }
    }

    var terms: LinkTerms {
        var terms = LinkTerms()
        terms.pendingSeconds = Int(pending.seconds)
        terms.policy = TokenPolicy(
            attempts: attempts, sessionSeconds: session, separation: separation?.policy)
        terms.prescribing = prescribing
        return terms
    }

    /// Reads the signing key.
    func maker() throws(Failure) -> LinkMaker {
        LinkMaker(
            key: try IssuerKey.read(key),
            carrier: carrier.map { .web(address: $0) } ?? .activate, validSeconds: valid.seconds)
    }
}

/// The names of CONTRACT §4.
enum SeparationName: String, ExpressibleByArgument, CaseIterable {
    case attest, strict

    var policy: TokenPolicy.Separation { self == .attest ? .attest : .strict }
}

func require<Number: BinaryInteger>(
    _ number: Number, in limits: ClosedRange<Number>, _ option: String, of unit: String = "a number"
) throws {
    guard limits.contains(number) else {
        throw ValidationError(
            "\(option) takes \(unit) from \(limits.lowerBound) to \(limits.upperBound)")
    }
}

func requireName(_ text: String, bytes: ClosedRange<Int>, _ what: String) throws {
    guard isAcceptableName(text, bytes: bytes) else {
        throw ValidationError("\(what) has 1 to \(bytes.upperBound) bytes that can be shown")
    }
}

func require(account: String?) throws {
    if let account { try requireName(account, bytes: 1...128, "an account") }
}

extension ArgumentHelp {
    /// What an option is for, and what stands for its value in the usage.
    static func taking(_ value: String, _ abstract: String) -> ArgumentHelp {
        ArgumentHelp(abstract, valueName: value)
    }
}
