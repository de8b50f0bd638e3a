// What the argument parser finds wrong, in this program's words.
import ArgumentParser
import ProgramSupport
import Testing

@testable import softtoken_issuer

@Suite("Usage")
struct UsageTests {
    private func failure(_ arguments: [String]) -> Failure? {
        do {
            _ = try SoftTokenIssuer.parseAsRoot(arguments)
            return nil
        } catch {
            return usageError(
                parserMessage: SoftTokenIssuer.message(for: error), arguments,
                root: SoftTokenIssuer.self)
        }
    }

    @Test("A command that isn't there gets the one that was probably meant")
    func unknownCommand() {
        let failure = failure(["isue", "--key", "k"])
        #expect(failure?.message == "there is no command isue")
        #expect(
            failure?.hint
                == "did you mean softtoken-issuer issue? see softtoken-issuer --help")
        #expect(self.failure(["frobnicate"])?.hint == "see softtoken-issuer --help")
        #expect(self.failure(["form-pskc"])?.hint?.contains("from-pskc?") == true)
    }

    @Test("A usage error points to the command's own help")
    func help() {
        let failure = failure(["issue", "--key", "k"])
        #expect(failure?.exitCode == .usage)
        #expect(failure?.message == "--account is missing, or --csv")
        #expect(failure?.hint == "see softtoken-issuer issue --help")
        let option = self.failure(["keygen", "--out", "f", "--name", "n", "--naem", "x"])
        #expect(option?.hint?.contains("--name") == true)
        #expect(option?.hint?.contains("see softtoken-issuer keygen --help") == true)
    }

    @Test(
        "What a shell asks the parser for completion is an option like another",
        arguments: [["---completion"], ["---completion", "issue", "--", "--key"]])
    func completion(arguments: [String]) {
        let failure = failure(arguments)
        #expect(failure?.exitCode == .usage)
        #expect(failure?.message == "invalid option: ---completion")
        #expect(failure?.hint == "see softtoken-issuer --help")
    }

    @Test(
        "A negative number names the range",
        arguments: [
            (["issue", "--key", "k", "--account", "a", "--pending", "-5"], "0 to 86400"),
            (["issue", "--key", "k", "--account", "a", "--valid", "-5"], "60 to"),
            (["verify", "--records", "r", "--serial", "s", "--window", "-1"], "0 to 100"),
        ])
    func negative(arguments: [String], range: String) {
        #expect(failure(arguments)?.message?.contains(range) == true)
    }

    @Test("Help names the values of an option and its default in words")
    func values() {
        let help = SoftTokenIssuer.helpMessage(for: softtoken_issuer.Issue.self, columns: 200)
        #expect(help.contains("(values: SHA1, SHA256, SHA512; default: SHA1)"))
        #expect(help.contains("(values: attest, strict)"))
    }
}
