// `softtoken issuer …`: the signing keys that this keystore trusts. Bound by CONTRACT §1, §4.
import Activation
import ArgumentParser
import Keystore
import Linux
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

    func execute(_ context: inout Context) throws(Failure) {
        let authenticator = try context.authenticator()
        let console = try Console(pinDescriptor: common.pinDescriptor)
        var session = try openSession(authenticator, console)
        let issuers = session.issuers
        try authenticating { () throws(AuthenticatorError) in try authenticator.finish(&session) }
        for issuer in issuers {
            try Output.line("\(issuer.key.fingerprint())  \(issuer.name)")
        }
        if issuers.isEmpty, authenticator.surroundings.issuers.isEmpty {
            Output.note("no signing key is trusted here yet")
        }
        for issuer in authenticator.surroundings.issuers {
            try Output.line("\(issuer.key.fingerprint())  \(issuer.name)  (administrator)")
        }
    }
}

struct IssuerAddCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Trust the signing key of an issuer file.")
    @Argument(help: ArgumentHelp("The issuer's file, FILE.pub.", valueName: "FILE"))
    var file: String
    @OptionGroup var common: CommonOptions

    func execute(_ context: inout Context) throws(Failure) {
        let authenticator = try context.authenticator()
        try authenticating { () throws(AuthenticatorError) in
            try authenticator.checkPlace(.manage, answers: Answers(isInteractive: false))
        }
        let bytes = try readInput(file)
        let issuer = try judging { () throws(ActivationError) in
            try IssuerFile(parsing: bytes.span)
        }
        let console = try Console(pinDescriptor: common.pinDescriptor)
        var session = try openSession(authenticator, console)
        try authenticating { () throws(AuthenticatorError) in
            try authenticator.trust(
                &session, TrustedIssuer(key: issuer.key, name: issuer.name))
        }
        Output.note("\(issuer.name) is trusted: \(issuer.key.fingerprint())")
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
        guard VerifyingKey.normalizedFingerprint(fingerprint) != nil else {
            throw ValidationError("a fingerprint is XXXX-XXXX-XXXX-XXXX")
        }
    }

    func execute(_ context: inout Context) throws(Failure) {
        let authenticator = try context.authenticator()
        let console = try Console(pinDescriptor: common.pinDescriptor)
        var session = try openSession(authenticator, console)
        let wanted = VerifyingKey.normalizedFingerprint(fingerprint)
        var found: TrustedIssuer?
        for issuer in session.issuers where issuer.key.fingerprint() == wanted {
            found = issuer
        }
        guard let found else {
            try authenticating { () throws(AuthenticatorError) in
                try authenticator.finish(&session)
            }
            let isAdministrators = authenticator.surroundings.issuers.contains {
                $0.key.fingerprint() == wanted
            }
            throw isAdministrators
                ? .usage(
                    "the administrator trusts this key",
                    hint: "root can take its file out of /etc/softtoken/issuers")
                : .usage(
                    "this key is not among the trusted ones", hint: "see softtoken issuer list")
        }
        try authenticating { () throws(AuthenticatorError) in
            try authenticator.distrust(&session, found)
        }
        Output.note("\(found.name) is trusted no longer: \(found.key.fingerprint())")
    }
}
