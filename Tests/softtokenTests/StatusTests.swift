// `status` without the parser: it must be what the parser would have made.
import Testing

@testable import softtoken

@Suite("status without the parser")
struct StatusTests {
    @Test("It is what the parser makes of it", arguments: ["status", "status --json"])
    func same(line: String) throws {
        let arguments = line.split(separator: " ").map(String.init)
        let parsed = try #require(
            try SoftTokenCommand.parseAsRoot(arguments) as? StatusCommand)
        #expect(PlainStatus(plainArguments: arguments) == PlainStatus(json: parsed.json))
    }

    @Test(
        "Everything else is the parser's",
        arguments: [
            "", "stat", "status --jso", "status status", "status --help", "status --no-color",
            "--version", "status LINK", "show",
        ])
    func others(line: String) {
        let arguments = line.split(separator: " ").map(String.init)
        #expect(PlainStatus(plainArguments: arguments) == nil)
    }
}
