// What the files of other verifiers can't say is refused.
import Keystore
import OTP
import Testing

@testable import softtoken_issuer

@Suite("Exports")
struct ExportTests {
    private func text(
        _ format: ExportFormat, serial: String = "S1", account: String? = "ada"
    ) throws -> String {
        let record = TokenMetadata(
            serial: serial, account: account, issuer: nil,
            state: VerifierState(parameters: parameters(.time(stepSeconds: 30))))
        let keyring = try recordsKeyring(PSKCProtection(), nil, path: "records")
        let bytes = try format.text(record, TokenOrder.drawnSeed(.sha1), keyring)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let lineFormats = [ExportFormat.usersOath, .freeradius, .privacyidea]

    @Test("A token is a line", arguments: lineFormats)
    func line(format: ExportFormat) throws {
        #expect(try text(format).split(separator: "\n").count == 1)
    }

    @Test(
        "A name that means something else to FreeRADIUS is no account there",
        arguments: ["DEFAULT", "default", "$INCLUDE", "$include"])
    func special(account: String) throws {
        #expect(throws: Failure.self) { try text(.freeradius, account: account) }
        #expect(try text(.freeradius, account: account + "S").contains(account))
    }

    @Test(
        "No line holds what can't be shown, in a serial or an account", arguments: lineFormats,
        ["a\nb", "a\tb", "a\rb", "a\u{0}b", "a\u{9B}b", "a\u{202E}b", "DEFAULT\n", " a", ""])
    func controls(format: ExportFormat, name: String) {
        #expect(throws: Failure.self) { try text(format, serial: name) }
        #expect(throws: Failure.self) { try text(format, account: name) }
    }

    @Test(
        "No line of privacyIDEA's begins like a formula, or needs quotation marks",
        arguments: ["=cmd", "+1", "-1", "@a", "\u{FF1D}1", "a,b", "a;b", "a\"b", "#a"])
    func formula(serial: String) throws {
        #expect(throws: Failure.self) { try text(.privacyidea, serial: serial) }
        #expect(try text(.privacyidea, serial: "a=1").hasPrefix("a=1, "))
    }
}
