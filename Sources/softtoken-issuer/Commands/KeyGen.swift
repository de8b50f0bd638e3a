// `keygen`: an issuer's signing key. Bound by CONTRACT §4 (the public file), §6 and RECORDS.md §4.
import ArgumentParser
import Keystore
import KeystoreIssuer
import Linux
import ProgramSupport

struct KeyGen: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keygen", abstract: "Draws an issuer's signing key.",
        discussion: """
            Writes the private key to FILE (0600) and the public half to FILE.pub, which devices \
            take with: softtoken issuer add FILE.pub. Prints the key's fingerprint, which \
            prescribers compare when they see this issuer for the first time.
            """)

    @Option(help: .taking("file", "The private key's file; nothing is overwritten."))
    var out: String

    @Option(help: .taking("name", "The issuer's name, as prescribers see it."))
    var name: String

    func validate() throws {
        try requireName(name, bytes: 1...64, "a name")
    }

    func run() throws {
        let key = IssuerKey(
            name: name, signingKey: try inMemory(try SigningKey()))
        let text = try key.privateFile()
        let publicText = try key.publicFile()
        // Both are made before either is placed: a name that is taken is told first.
        var publicFile = try fromSystem(
            try NewFile(out + ".pub", mode: 0o644, policy: .refuse))
        var file = try fromSystem(try NewFile(out, policy: .refuse))
        try fromSystem(try publicFile.write(publicText.span))
        try text.read { (bytes) throws(Failure) in try fromSystem(try file.write(bytes)) }
        try fromSystem(try file.place())
        try fromSystem(try publicFile.place())
        try output.line(key.fingerprint)
        sayNext(
            "Next, a first link, for alice here",
            ["issue", "--key", out, "--account", "alice", "--records", "\(out).records.xml"])
    }
}
