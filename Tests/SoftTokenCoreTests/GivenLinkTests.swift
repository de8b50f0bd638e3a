// The text of a link on its way into guarded memory: from a descriptor, from an app, up to its limit.
// Source: DESIGN §3, §7, CONTRACT §2 (65).
import Glibc
import Testing

@testable import SoftTokenCore

@Suite("The text of a link") struct GivenLinkTests {
    private func pipe(with text: String) throws -> Int32 {
        var ends: [Int32] = [0, 0]
        try #require(Glibc.pipe(&ends) == 0)
        let bytes = Array(text.utf8)
        try #require(write(ends[1], bytes, bytes.count) == bytes.count)
        close(ends[1])
        return ends[0]
    }

    @Test("All that is left at a descriptor is one text, up to its limit")
    func readsRest() throws {
        let mail = "From: a\r\n\r\notpauth://totp/x\r\n"
        let whole = try GivenLink(readingFrom: pipe(with: mail), path: "a pipe", limit: 100)
        #expect(whole.text.byteCount == mail.utf8.count)
        let just = try GivenLink(readingFrom: pipe(with: "1234"), path: "a pipe", limit: 4)
        #expect(just.text.byteCount == 4)
        #expect(throws: AuthenticatorError.activation(.tooLong)) {
            _ = try GivenLink(readingFrom: pipe(with: "12345"), path: "a pipe", limit: 4)
        }
        #expect(throws: AuthenticatorError.activation(.noLink)) {
            _ = try GivenLink(readingFrom: pipe(with: ""), path: "a pipe")
        }
    }

    @Test("What an app writes is taken as far as it wrote, and what it throws ends it")
    func writes() throws {
        let link = try GivenLink(capacity: 8) { (text) throws(AuthenticatorError) in
            for byte in "abc".utf8 { text.append(byte) }
        }
        #expect(link.text.byteCount == 3)
        #expect(throws: AuthenticatorError.interrupted) {
            _ = try GivenLink(capacity: 8) { (text) throws(AuthenticatorError) in
                text.append(65)
                throw .interrupted
            }
        }
    }
}
