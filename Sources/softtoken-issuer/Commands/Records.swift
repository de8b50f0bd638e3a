// `records`: the verifier's store. Bound by CONTRACT §6 and RECORDS.md §7, §8.
import ArgumentParser
import ProgramSupport
import SoftTokenCore

struct Records: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "records",
        abstract: "Makes and fills the verifier's store; revokes or unlocks a token.",
        subcommands: [
            CreateStore.self, ImportRecords.self, EncryptRecords.self, RevokeToken.self,
            UnlockToken.self,
        ])
}

struct CreateStore: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Makes an empty store; nothing is overwritten.",
        discussion: """
            A store is for many tokens: verify takes the same time however many it holds, counts \
            wrong one-time passwords and locks. With --records-key-fd the seeds in it are encrypted.
            """)

    @Argument(help: .taking("file", "The store's file."))
    var file: String

    @OptionGroup var key: RecordsKeyOption

    func run() throws(Failure) {
        try RecordsStore.create(file, try PSKCProtection.new(for: try key.secret()))
        sayNext(
            "Next, an issuer's key, unless you have one",
            ["keygen", "--out", "\(file).key", "--name", "Example Clinic"])
        sayNext(
            "and with it a first token, for alice here",
            ["issue", "--key", "\(file).key", "--account", "alice", "--records", file]
                + recordsKeyOption(key.recordsKeyFd))
    }
}

struct ImportRecords: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Adds the tokens of a PSKC file to a store.",
        discussion: """
            What a verifier remembered in the file (Counter, Time, TimeDrift, UserId) is taken \
            over. A key that can't be verified is told with its reason, and the others are added.
            """)

    @Option(help: .taking("file", "The store."))
    var records: String

    @Argument(help: .taking("from", "The PSKC file (RFC 6030)."))
    var from: String

    @Option(help: .taking("n", "A descriptor with the PSKC file's key."))
    var keyFd: Int32?

    @OptionGroup var key: RecordsKeyOption

    func run() throws(Failure) {
        let secret = try key.secret()
        let vendor = try VendorFile(from, keyFd: keyFd)
        let target = try openTarget(records, secret)
        let now = try currentSeconds()
        var (added, rejected) = (0, 0)
        let progress = ProgressBar()
        let reject = { (failure: Failure) in
            progress.clear()
            output.report(failure)
            rejected += 1
        }
        try vendor.read { (package) throws(Failure) in
            let key: VerifiableKey
            do throws(Failure) { key = try vendor.verifiable(package, at: now) } catch {
                guard error.exitCode != .inputOutput else { throw error }
                return reject(error)
            }
            // What the records themselves can't do no other key is spared.
            guard try !target.isTaken(package.serial) else {
                return reject(.rejected("token \(package.serial) is there already"))
            }
            try target.add(key.record, seed: key.seed)
            added += 1
            progress.show(nil, links: added)
        }
        progress.clear()
        try target.place()
        output.note("\(added) tokens added")
        guard rejected == 0 else {
            throw .rejected(rejected, of: rejected + added)
        }
    }
}

struct EncryptRecords: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "encrypt", abstract: "Encrypts the seeds of records that are in the clear.",
        discussion: """
            The whole file or none of it. A PSKC file that holds more than RFC 6030's elements (an \
            extension, a comment) is refused, because a seed could be left there: records import \
            takes its tokens into an encrypted store. What was in the clear may survive in \
            backups, and in blocks of the disk that are free now.
            """)

    @Option(help: .taking("file", "The records, a store or PSKC."))
    var records: String

    @OptionGroup var key: RecordsKeyOption

    func run() throws(Failure) {
        guard let secret = try key.secret() else {
            throw .usage("--records-key-fd is missing")
        }
        switch RecordsKind(records) {
        case .store: try RecordsStore(records).encrypt(secret)
        case .pskc: try encryptFile(records, secret)
        }
    }
}

struct UnlockToken: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unlock", abstract: "Lets a locked token of a store try again.")

    @Option(help: .taking("file", "The store."))
    var records: String

    @Option(help: .taking("serial", "The token's serial."))
    var serial: String

    func run() throws(Failure) { try RecordsStore(records).unlock(serial) }
}

struct RevokeToken: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Ends a token for good.",
        discussion: """
            For a token whose device is lost, stolen, erased or replaced: none of its one-time \
            passwords is accepted any more, at whatever time, and nothing brings it back. The \
            record stays, so that no other token gets its serial.
            """)

    @Option(help: .taking("file", "The records, a store or PSKC."))
    var records: String

    @OptionGroup var token: TokenNameOptions

    func run() throws(Failure) {
        let now = try currentSeconds()
        let serial =
            switch RecordsKind(records) {
            case .store: try RecordsStore(records).revoke(token.name, at: now)
            case .pskc: try revokeInFile(records, token.name, at: now)
            }
        output.note("token \(serial) is revoked")
    }
}

/// Which token of the records is meant.
struct TokenNameOptions: ParsableArguments {
    @Option(help: .taking("serial", "The token's serial."))
    var serial: String?

    @Option(help: .taking("account", "Or whose token it is."))
    var account: String?

    func validate() throws {
        guard (serial == nil) != (account == nil) else {
            throw ValidationError("one of --serial and --account says which token")
        }
    }

    var name: TokenName { serial.map(TokenName.serial) ?? .account(account ?? "") }
}

struct RecordsKeyOption: ParsableArguments {
    @Option(
        help: .taking(
            "n", "A descriptor with the key that encrypts the seeds: hexadecimal, or a passphrase.")
    )
    var recordsKeyFd: Int32?

    func secret() throws(Failure) -> RecordsSecret? { try RecordsSecret.read(from: recordsKeyFd) }
}

extension VendorFile {
    /// A key of this file with what was remembered of it, if it may be verified on some day.
    fileprivate func verifiable(
        _ package: PSKCKeyPackage, at unixSeconds: Int64
    ) throws(Failure) -> VerifiableKey {
        guard isAcceptableName(package.serial, bytes: 1...64) else {
            throw .rejected("a serial of the file has over 64 bytes, or can't be shown")
        }
        try ofToken(package.serial, try package.policy.checkButDates(at: unixSeconds))
        return try ofToken(package.serial, try package.verifiable(try keyring()))
    }
}

extension PSKCPolicy {
    /// Whether the key may be verified on some day.
    fileprivate func checkButDates(at unixSeconds: Int64) throws(Failure) {
        let day = startUnixSeconds ?? expiryUnixSeconds.map { $0 - 1 } ?? unixSeconds
        try check(for: .verifying, at: day)
    }
}
