// `softtoken issuer …`: the signing keys that this keystore trusts. Bound by CONTRACT §1, §4.
import ArgumentParser
import Linux
import ProgramSupport
import SoftTokenCore

struct IssuerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "issuer", abstract: "Say whose signed links are trusted.",
        subcommands: [
            IssuerListCommand.self, IssuerAddCommand.self, IssuerRemoveCommand.self,
        ])
}

struct IssuerListCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the signing keys that are trusted.")
    @OptionGroup var common: CommonOptions

    func execute(_ context: inout Context) throws(AuthenticatorError) {
        let authenticator = try context.authenticator()
        let console = try Console(pinDescriptor: common.pinDescriptor)
        let issuers = try authenticator.unlock(asking: console).issuers
        if issuers.isEmpty { output.note("no signing key is trusted here yet") }
        for issuer in issuers {
            try output.line(
                "\(issuer.fingerprint)  \(issuer.name)"
                    + (issuer.isAdministrators ? "  (administrator)" : ""))
        }
    }
}

struct IssuerAddCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Trust the signing key of an issuer file.")
    @Argument(help: ArgumentHelp("The issuer's file, FILE.pub.", valueName: "FILE"))
    var file: String
    @OptionGroup var common: CommonOptions

    func execute(_ context: inout Context) throws(AuthenticatorError) {
        let authenticator = try context.authenticator()
        let console = try Console(pinDescriptor: common.pinDescriptor)
        try authenticator.check(.management, for: console)
        let issuer = try IssuerKeyFile(parsing: try readInput(file))
        var keystore = try authenticator.unlock(asking: console)
        for known in keystore.affected(by: issuer) { warn(of: known, beside: issuer) }
        try keystore.trust(issuer)
        output.note("\(issuer.name) is trusted: \(issuer.fingerprint)")
    }

    /// A key is trusted under a name (DESIGN §7): a second key of one name, and another name of one
    /// key, are told.
    private func warn(of known: Issuer, beside new: IssuerKeyFile) {
        output.warning(
            known.fingerprint == new.fingerprint
                ? "this key was trusted as \(known.name): its links under that name are asked about "
                    + "from now on"
                : "another key is trusted as \(known.name) already: \(known.fingerprint); if its "
                    + "issuer doesn't use it any more: softtoken issuer remove \(known.fingerprint)"
        )
    }
}

struct IssuerRemoveCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Trust a signing key no longer.")
    @Argument(
        help: ArgumentHelp(
            "The key's fingerprint, XXXX-XXXX-XXXX-XXXX.", valueName: "FINGERPRINT"))
    var fingerprint: String
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard Authenticator.fingerprint(fingerprint) != nil else {
            throw ValidationError("a fingerprint is XXXX-XXXX-XXXX-XXXX")
        }
    }

    func execute(_ context: inout Context) throws(AuthenticatorError) {
        let authenticator = try context.authenticator()
        let console = try Console(pinDescriptor: common.pinDescriptor)
        var keystore = try authenticator.unlock(asking: console)
        let issuer = try keystore.distrust(
            fingerprint: Authenticator.fingerprint(fingerprint) ?? fingerprint)
        output.note("\(issuer.name) is trusted no longer: \(issuer.fingerprint)")
    }
}
