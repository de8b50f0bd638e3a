// Records in another encoding than UTF-8 are read and never written to, and what is written is read
// again before it takes the old file's place.
import Activation
import Foundation
import Keystore
import Linux
import OTP
import Testing

@testable import softtoken_issuer

@Suite("Encodings of records")
struct EncodingTests {
    private let folder: Folder
    init() throws { folder = try Folder() }

    private func file(_ declared: String?, _ encoding: String.Encoding = .utf8) throws -> String {
        let text = declaring(declared, container())
        let path = try folder.file("r.xml", "")
        try #require(text.data(using: encoding)).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        return path
    }

    private func declaring(_ encoding: String?, _ text: String) -> String {
        guard let encoding else { return text }
        return text.replacing("version=\"1.0\"?", with: "version=\"1.0\" encoding=\"\(encoding)\"?")
    }

    private func bind(_ path: String, to account: String) throws(Failure) {
        try remember(path, account: account) { state in state.parameters.factor = .counter(9) }
    }

    private func issue(_ path: String, for account: String) throws {
        let writer = try RecordsWriter(path, nil)
        let order = TokenOrder(
            account: account, serial: "S2", parameters: parameters(), terms: LinkTerms(),
            lock: .code(nil))
        let seed = Seed(try secret([UInt8](repeating: 1, count: 20)))
        try writer.add(order.record(issuer: "Clinic"), seed: seed)
        try writer.place()
    }

    @Test("UTF-8 and, for ASCII, US-ASCII are written to", arguments: [nil, "utf-8", "us-ascii"])
    func written(declared: String?) throws {
        let path = try file(declared)
        try bind(path, to: "alice")
        try issue(path, for: "bob")
        var accounts: [String?] = []
        _ = try readKeys(try openPrivateFile(path)) { package, _ in accounts.append(package.account)
        }
        #expect(accounts == ["alice", "bob"])
    }

    @Test("US-ASCII takes nothing else")
    func ascii() throws {
        let path = try file("US-ASCII")
        let before = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(throws: Failure(encoding: .ascii, of: path)) { try bind(path, to: "zoë") }
        #expect(throws: Failure(encoding: .ascii, of: path)) { try issue(path, for: "zoë") }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
    }

    static let others: [(String, String.Encoding, XMLEncoding)] = [
        ("ISO-8859-1", .isoLatin1, .latin1), ("windows-1252", .windowsCP1252, .windows1252),
        ("UTF-16", .utf16, .utf16), ("ISO-8859-15", .ascii, .other), ("UTF-16", .utf8, .utf16),
    ]

    @Test("A file in another encoding is read and stays as it is", arguments: others)
    func otherEncoding(declared: String, encoding: String.Encoding, expected: XMLEncoding) throws {
        let path = try file(declared, encoding)
        let before = try Data(contentsOf: URL(fileURLWithPath: path))
        var count = 0
        let outline = try readKeys(try openPrivateFile(path)) { _, _ in count += 1 }
        #expect(count == 1 && outline.encoding == expected)
        let refusal = Failure(encoding: expected, of: path)
        #expect(refusal.exitCode == .rejected && refusal.hint?.contains("UTF-8") == true)
        #expect(throws: refusal) { try bind(path, to: "alice") }
        #expect(throws: refusal) { try issue(path, for: "alice") }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
        #expect(try folder.names == ["r.xml", "r.xml.lock"])
    }

    @Test("A vendor's file that isn't UTF-8 is told with its encoding")
    func unreadable() throws {
        let text = declaring("ISO-8859-1", container(data: "<!-- Zoë -->"))
        let path = try folder.file("v.xml", "")
        try #require(text.data(using: .isoLatin1)).write(to: URL(fileURLWithPath: path))
        #expect(throws: Failure(unreadable: .latin1, path)) {
            _ = try readKeys(try openPrivateFile(path)) { _, _ in }
        }
    }

    @Test("A change that doesn't read back is not made")
    func readBack() throws {
        for (count, cut) in [(1, 0), (2, 0), (1, 5)] {
            var new = try BufferedFile(folder.path + "/new")
            try new.write(Array(container().utf8.dropLast(cut)))
            var serials: [String] = []
            let failure: Failure?
            do throws(Failure) {
                try checkChange(&new, count: count, of: "r") { serials.append($0.serial) }
                failure = nil
            } catch { failure = error }
            #expect(failure == (count == 1 && cut == 0 ? nil : Failure(changing: "r")))
            #expect(serials == ["S1"])
        }
        // A counter that no reader takes is not left in the file.
        let path = try file(nil)
        let before = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(throws: Failure(changing: path)) {
            try remember(path) { state in state.parameters.factor = .counter(1 << 63) }
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
        #expect(try folder.names == ["r.xml", "r.xml.lock"])
    }
}

@Suite("Tokens at their end")
struct EndedTokenTests {
    @Test("An expired key is told as an expired token")
    func expired() throws {
        #expect(Failure.expired.exitCode == .tokenExpired)
        #expect(Failure.notYetValid.exitCode == .policy)
        let folder = try Folder()
        let text = container(policy: "<ExpiryDate>2001-09-09T01:46:40Z</ExpiryDate>")
        let path = try folder.file("r.xml", text)
        let status: Int32?
        do throws(Failure) {
            _ = try openToken(path, .serial("S1"), secret: nil, at: 2_000_000_000)
            status = nil
        } catch { status = error.exitCode.rawValue }
        #expect(status == 85)
    }

    @Test("The last counter is accepted, is remembered, and ends the token")
    func counter() throws {
        let folder = try Folder()
        let counter = "<Counter><PlainValue>\(lastCounter)</PlainValue></Counter>"
        let path = try folder.file("r.xml", container(data: counter))
        try useLastCounter(path)
        let ended: Failure?
        do throws(Failure) {
            _ = try openToken(path, .serial("S1"), secret: nil, at: 0)
            ended = nil
        } catch { ended = error }
        #expect(ended?.exitCode == .tokenExpired && ended?.message?.contains("at its end") == true)
    }

    private func useLastCounter(_ path: String) throws {
        try remember(path) { state in
            var asked: [UInt64] = []
            let verdict = check(
                [[1]], state: state, at: 0, window: OTPWindow(single: 10, pair: 1000)
            ) { first, count in
                asked += (0..<count).map { first + UInt64($0) }
                return (0..<count).map { first + UInt64($0) == UInt64(lastCounter) ? [1] : [0] }
            }
            #expect(asked.max() == UInt64(lastCounter))
            guard case .accepted(let next, 0) = verdict else {
                Issue.record("the last counter is not accepted")
                return
            }
            state = next
        }
    }
}
