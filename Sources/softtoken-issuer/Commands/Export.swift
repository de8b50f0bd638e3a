// `export`: records for verifiers of others. Bound by CONTRACT §6 and RECORDS.md §9.
import ArgumentParser
import Keystore
import KeystoreIssuer
import Linux
import OTP
import ProgramSupport

struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Writes the records for another verifier.",
        discussion: """
            pskc (RFC 6030), users.oath (pam_oath), freeradius (the users file of rlm_totp) or \
            privacyidea (its OATH CSV). The file is 0600 and holds the seeds, in the clear but for \
            pskc of encrypted records, which stays encrypted under the same key. What the other \
            can't express is told for each token, and then nothing is written.

            A token must have one verifier: what the other accepts, this one doesn't know of.
            """)

    @Option(help: .taking("file", "The records, a store or PSKC."))
    var records: String

    @Option(help: .taking("format", "For which verifier."))
    var format: ExportFormat

    @Option(help: .taking("file", "Where to; nothing is overwritten."))
    var out: String

    @OptionGroup var key: RecordsKeyOption

    func run() throws(Failure) {
        let secret = try key.secret()
        var file = try BufferedFile(out, policy: .refuse)
        let (count, revoked, rejected) = try write(to: &file, secret)
        guard rejected == 0 else {
            throw .rejected(
                "\(rejected) tokens can't be expressed: nothing was written",
                hint: "--format pskc holds all that a record says")
        }
        try file.place()
        output.note(
            "tokens written: \(count)" + (revoked > 0 ? ", \(revoked) revoked left out" : ""))
    }

    private func write(
        to file: inout BufferedFile, _ secret: RecordsSecret?
    ) throws(Failure) -> (count: Int, revoked: Int, rejected: Int) {
        // Whether there is a key to be given is for the records to say: they are read with it.
        let ours = format == .pskc ? secret : nil
        let protection = try PSKCProtection.new(for: ours)
        let writer = try recordsKeyring(protection, ours, path: out)
        var (count, revoked, rejected) = (0, 0, 0)
        if format == .pskc { try file.write(recordsHead + protection.text(prefix: "")) }
        try eachRecord(of: records, secret) { (record, seed) throws(Failure) in
            guard !record.isRevoked else {
                revoked += 1
                return
            }
            let text: [UInt8]
            do throws(Failure) {
                text = try ofToken(record.serial, try format.text(record, seed, writer))
            } catch {
                output.report(error)
                rejected += 1
                return
            }
            try file.write(text)
            count += 1
        }
        if format == .pskc { try file.write(recordsTail) }
        return (count, revoked, rejected)
    }
}

/// The verifiers that records are written for.
enum ExportFormat: String, ExpressibleByArgument, CaseIterable {
    case pskc
    case usersOath = "users.oath"
    case freeradius
    case privacyidea

    /// A token as the other has it.
    ///
    /// - Throws: `Failure` (65), for what it can't express.
    func text(
        _ record: TokenMetadata, _ seed: borrowing Seed, _ keyring: PSKCKeyring
    ) throws(Failure) -> [UInt8] {
        if self == .pskc {
            return recordText(record, try keyring.written(seed), prefix: "")
        }
        guard record.state.parameters.algorithm == .sha1 else {
            throw .rejected("\(rawValue) has SHA1 alone")
        }
        guard record.startUnixSeconds == nil, record.expiryUnixSeconds == nil else {
            throw .rejected("\(rawValue) has no dates: it would be accepted for ever")
        }
        // The others' files have a token a line.
        guard isAcceptableName(record.serial, bytes: 1...128),
            record.account.map({ isAcceptableName($0, bytes: 1...128) }) ?? true
        else { throw .rejected("\(rawValue) has no serials and accounts that can't be shown") }
        return switch self {
        case .usersOath: try usersOathLine(record, seed)
        case .freeradius: try freeradiusLine(record, seed)
        case .privacyidea, .pskc: try privacyideaLine(record, seed)
        }
    }
}

/// liboath's users file: type, user, no PIN, seed, and the counter.
private func usersOathLine(
    _ record: TokenMetadata, _ seed: borrowing Seed
) throws(Failure) -> [UInt8] {
    let account = try account(of: record)
    guard account.allSatisfy({ !$0.isWhitespace }), account.first != "#" else {
        throw .rejected("users.oath has no accounts with white space, or that begin with #")
    }
    let digits = record.state.parameters.digits.value
    let (type, counter) =
        switch record.state.parameters.factor {
        case .counter(let counter): ("HOTP/E/\(digits)", "\t\(counter)")
        case .time(30): ("HOTP/T30/\(digits)", "")
        case .time(60): ("HOTP/T60/\(digits)", "")
        case .time: throw .rejected("users.oath has time steps of 30 and 60 seconds alone")
        }
    return line(start: "\(type)\t\(account)\t-\t", seed, .hexadecimal, end: counter)
}

/// The users file of FreeRADIUS, for rlm_totp. Two names are no accounts there, quoted or not: what
/// DEFAULT has is everybody's, and $INCLUDE, in either case, reads another file.
private func freeradiusLine(
    _ record: TokenMetadata, _ seed: borrowing Seed
) throws(Failure) -> [UInt8] {
    let account = try account(of: record)
    guard account.utf8.allSatisfy({ $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) else {
        throw .rejected("freeradius has no accounts with quotation marks or backslashes here")
    }
    guard !["default", "$include"].contains(account.lowercased()) else {
        throw .rejected("freeradius takes the account \(account) for everybody, or for a command")
    }
    guard record.state.parameters.factor == .time(stepSeconds: 30),
        record.state.parameters.digits.value == 6
    else { throw .rejected("freeradius has TOTP of 6 digits and 30 seconds alone") }
    return line(start: "\"\(account)\"\tTOTP-Secret := \"", seed, .base32, end: "\"")
}

/// privacyIDEA's OATH CSV: serial, seed, type, digits, time step. Which hash function a seed is for
/// it guesses by its length: 16 bytes would be SHA-256. Its reader knows neither quotation marks nor an
/// apostrophe before a formula: a serial that needs them would come out as another one.
private func privacyideaLine(
    _ record: TokenMetadata, _ seed: borrowing Seed
) throws(Failure) -> [UInt8] {
    guard csvField(record.serial) == record.serial, record.serial.first != "#" else {
        throw .rejected(
            "privacyidea has no serials with a comma, semicolon or quotation mark, or that begin with "
                + "# or like a formula")
    }
    guard seed.byteCount == 20 else { throw .rejected("privacyidea has seeds of 20 bytes alone") }
    let digits = record.state.parameters.digits.value
    guard digits != 7 else { throw .rejected("privacyidea has 6 or 8 digits") }
    let end =
        switch record.state.parameters.factor {
        case .counter(0): ", hotp, \(digits)"
        case .counter: throw .rejected("privacyidea has no counters in its CSV")
        case .time(30): ", totp, \(digits), 30"
        case .time(60): ", totp, \(digits), 60"
        case .time: throw .rejected("privacyidea has time steps of 30 and 60 seconds alone")
        }
    return line(start: "\(record.serial), ", seed, .hexadecimal, end: end)
}

private func account(of record: TokenMetadata) throws(Failure) -> String {
    guard let account = record.account else { throw .rejected("it is bound to no account") }
    return account
}

private func line(
    start: String, _ seed: borrowing Seed, _ alphabet: TextAlphabet, end: String
) -> [UInt8] {
    var bytes = Array(start.utf8)
    seed.append(as: alphabet, to: &bytes)
    return bytes + Array((end + "\n").utf8)
}
