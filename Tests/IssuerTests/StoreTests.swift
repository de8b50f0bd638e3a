// The verifier's store where another command changes it between two reads of one.
import Keystore
import Testing

@testable import softtoken_issuer

@Suite("Store")
struct StoreTests {
    /// A store with the token S1: HOTP with the seed of RFC 4226 Appendix D.
    private func store(_ folder: Folder, account: String?) throws -> String {
        let path = folder.path + "/s"
        try RecordsStore.create(path, PSKCProtection())
        let writer = try StoreWriter(path, nil)
        try writer.add(
            TokenMetadata(
                serial: "S1", account: account, state: VerifierState(parameters: parameters())),
            seed: Seed(try secret(Array("12345678901234567890".utf8))))
        try writer.place()
        return path
    }

    /// What comes of the first OTP after a change that another command made behind the finding.
    private func code(
        _ name: TokenName, account: String? = nil, bindingTo other: String? = nil,
        after change: String
    ) throws -> (code: Int32?, verdict: OTPVerdict?, counter: Int64?) {
        let folder = try Folder()
        let path = try store(folder, account: account)
        let token = try openToken(path, name, secret: nil, at: 0)
        let database = try RecordsStore(path).database
        for statement in change.split(separator: "; ") { try database.run(String(statement)) }
        let attempt = OTPAttempt(
            otps: [Array("755224".utf8)], window: nil, unixSeconds: 0, account: other, limit: 10)
        var (code, verdict): (Int32?, OTPVerdict?)
        do throws(Failure) { verdict = try token.verdict(attempt) } catch {
            code = error.exitCode.rawValue
        }
        return (code, verdict, try database.rows("SELECT counter FROM tokens").first?[0].number)
    }

    @Test(
        "An OTP is judged by what the row says when it is judged, not when it was found",
        arguments: [
            ("UPDATE tokens SET account = 'eve'", Int32(88)),
            ("UPDATE tokens SET expires = 0", 85),
            ("UPDATE tokens SET starts = 1", 88),
            ("UPDATE tokens SET mac = 'AAAA'", 65),
            ("DELETE FROM tokens", 66),
        ])
    func decided(change: String, code expected: Int32) throws {
        let (code, _, counter) = try code(.serial("S1"), bindingTo: "ada", after: change)
        #expect(code == expected)
        #expect(counter == (change.hasPrefix("DELETE") ? nil : 0))
    }

    @Test(
        "Another seed, other digits and a later counter make another OTP",
        arguments: [
            "UPDATE tokens SET seed = 'MTIzNDU2Nzg5MDEyMzQ1Njc4OTE='",
            "UPDATE tokens SET digits = 8", "UPDATE tokens SET algorithm = 'SHA256'",
            "UPDATE tokens SET counter = 1",
        ])
    func judged(change: String) throws {
        let (code, verdict, counter) = try code(.serial("S1"), after: change)
        #expect(code == nil && (verdict == .notFound || verdict == .usedAlready))
        #expect(counter == (change.hasSuffix("counter = 1") ? 1 : 0))
    }

    @Test(
        "An account's token that is its own no more, or not alone, accepts nothing for it",
        arguments: [
            ("UPDATE tokens SET account = NULL", Int32(66)),
            (
                """
                INSERT INTO tokens SELECT 'S2', account, issuer, algorithm, digits, period, \
                counter, step, drift, starts, expires, hard, seed, mac, 0, 0 FROM tokens
                """, 64
            ),
            ("UPDATE tokens SET serial = 'S2'", 66),
            (
                """
                INSERT INTO tokens SELECT 'S2', account, issuer, algorithm, digits, period, \
                counter, step, drift, starts, expires, hard, seed, mac, 0, 0 FROM tokens; \
                UPDATE tokens SET account = NULL WHERE serial = 'S1'
                """, 75
            ),
        ])
    func named(change: String, code expected: Int32) throws {
        let (code, _, counter) = try code(.account("ann"), account: "ann", after: change)
        #expect(code == expected && counter == 0)
    }

    @Test("The token that is bound to the account meanwhile is the account's")
    func same() throws {
        let (code, verdict, counter) = try code(
            .serial("S1"), bindingTo: "ada", after: "UPDATE tokens SET account = 'ada'")
        #expect(code == nil && verdict != .notFound && counter == 1)
    }
}
