// `keygen`: an issuer's signing key. Bound by CONTRACT §4 (the public file), §6 and RECORDS.md §4.
import ArgumentParser
import Keystore
import KeystoreIssuer
import Linux

struct KeyGen: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keygen", abstract: "Draws an issuer's signing key.",
        discussion: """
            Writes the private key to FILE (0600) and the public half to FILE.pub, which devices \
            take with: softtoken issuer add FILE.pub. Prints the key's fingerprint, which \
            prescribers compare when they see this issuer for the first time.
            """)

    @Option(
        help: ArgumentHelp("The private key's file; nothing is overwritten.", valueName: "file"))
    var out: String

    @Option(help: ArgumentHelp("The issuer's name, as prescribers see it.", valueName: "name"))
    var name: String

    func validate() throws {
        guard isAcceptableName(name, bytes: 1...64) else {
            throw ValidationError("a name has 1 to 64 bytes that can be shown")
        }
    }

    func run() throws {
        let signingKey = try Failure.catching(Failure.init(_:)) {
            () throws(KeystoreError) in try SigningKey()
        }
        let key = IssuerKey(name: name, signingKey: signingKey)
        let text = try key.privateFile()
        let publicText = try key.publicFile()
        do throws(SystemError) {
            // Both are made before either is placed: a name that is taken is told first.
            var publicFile = try NewFile(out + ".pub", mode: 0o644, policy: .refuse)
            var file = try NewFile(out, policy: .refuse)
            try publicFile.write(publicText.span)
            try text.read { (bytes) throws(SystemError) in try file.write(bytes) }
            try file.place()
            try publicFile.place()
        } catch { throw Failure(error) }
        try Console.print(key.fingerprint)
    }
}
