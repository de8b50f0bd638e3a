// Records on disk: added to, edited in place, whole or not at all.
import Activation
import Foundation
import Keystore
import Linux
import OTP
import Testing

@testable import softtoken_issuer

@Suite("Records")
struct RecordTests {
    private func order(_ serial: String, _ factor: MovingFactor, account: String) -> TokenOrder {
        TokenOrder(
            account: account, serial: serial,
            parameters: TokenParameters(
                algorithm: .sha512, digits: DigitCount(8)!, factor: factor),
            terms: LinkTerms(), lock: .code(nil))
    }

    private func add(_ orders: [TokenOrder], to path: String) throws {
        let writer = try RecordsWriter(path, nil)
        for order in orders {
            let isTaken = writer.isTaken(order.serial)
            #expect(!isTaken)
            let seed = Seed(try secret(Array(repeating: 7, count: 64)))
            try writer.add(order.record(issuer: "A & <B> \"C\""), seed: seed)
        }
        try writer.place()
    }

    @Test("What is written is read again, with every odd character")
    func roundTrip() throws {
        let folder = try Folder()
        let path = folder.path + "/r.xml"
        let accounts = ["alice", " b", "#c", "d,e=f", "g\\h;\"<i>&", "j+k ", "ø", "UID=l"]
        let orders = accounts.enumerated().map { index, account in
            order("S\(index)", .counter(UInt64(index)), account: account)
        }
        try add(orders, to: path)
        try add([order("T", .time(stepSeconds: 60), account: "z")], to: path)
        var read: [PSKCKeyPackage] = []
        _ = try readKeys(openPrivateFile(path)) { package, _ in read.append(package) }
        #expect(read.map(\.account) == accounts + ["z"])
        #expect(read.map(\.issuer) == Array(repeating: "A & <B> \"C\"", count: 9))
        #expect(try read[3].parameters(PSKCKeyring()) == orders[3].parameters)
        let last = try read[8].parameters(PSKCKeyring())
        #expect(last.factor == .time(stepSeconds: 60))
        let seed = try read[8].seed(PSKCKeyring())
        var text: [UInt8] = []
        seed.appendBase64(to: &text)
        #expect(try decoded(text) == Array(repeating: 7, count: 64))
    }

    @Test(
        "A UserId that isn't just an account is taken as it stands",
        arguments: [
            "jsmith", "UID=a,DC=b", "UID=a\\", "UID=a\\4", "UID=a\\-0", "UID=a\\0x", "UID=\\FF",
        ])
    func foreignName(name: String) {
        #expect(accountOfUserID(name) == name)
    }

    @Test("A serial that is there already is told")
    func taken() throws {
        let folder = try Folder()
        let path = folder.path + "/r.xml"
        try add([order("S", .counter(0), account: "a")], to: path)
        let writer = try RecordsWriter(path, nil)
        let answers = [writer.isTaken("S"), writer.isTaken("T"), writer.isTaken("T")]
        #expect(answers == [true, false, true])
    }

    @Test("A writer that is dropped leaves the file as it was, and nothing beside it")
    func dropped() throws {
        let folder = try Folder()
        let path = try folder.file("r.xml", container())
        do {
            let writer = try RecordsWriter(path, nil)
            try writer.add(
                order("S", .counter(0), account: "a").record(issuer: "i"),
                seed: Seed(try secret([1, 2, 3])))
            let known = writer.usableSerial(ofAccount: "a", at: 0)
            #expect(known == "S")
        }
        #expect(try folder.text("r.xml") == container())
        #expect(try folder.names == ["r.xml", "r.xml.lock"])
    }

    @Test("A record that reads back as another one's is not written")
    func another() throws {
        let folder = try Folder()
        let path = try folder.file("r.xml", container())
        // XML's readers drop the spaces.
        #expect(throws: Failure(changing: path)) {
            try add([order(" S ", .counter(0), account: "a")], to: path)
        }
        #expect(try folder.text("r.xml") == container())
        #expect(try folder.names == ["r.xml", "r.xml.lock"])
    }

    @Test("Nothing is added to a signed file", .enabled(if: Vectors.arePresent))
    func signed() throws {
        let folder = try Folder()
        let path = try folder.file("r.xml", try Vectors.figure(9))
        #expect(throws: Failure.self) { _ = try RecordsWriter(path, nil) }
    }

    @Test("Only the counter changes, and everything else stays byte for byte")
    func inPlace() throws {
        let before = container(
            policy: "<KeyUsage>OTP</KeyUsage>",
            data: "<!-- here --><Counter>\n<PlainValue> 5 "
                + "</PlainValue><ValueMAC>AAAA</ValueMAC></Counter><x:y xmlns:x=\"urn:z\"/>")
        let folder = try Folder()
        let path = try folder.file("r.xml", before)
        try remember(path) { state in state.parameters.factor = .counter(9) }
        let expected = before.replacingOccurrences(
            of: "<Counter>\n<PlainValue> 5 </PlainValue><ValueMAC>AAAA</ValueMAC></Counter>",
            with: "<Counter><PlainValue>9</PlainValue></Counter>")
        #expect(try folder.text("r.xml") == expected)
    }

    @Test("New values stand in the schema's order, with the file's own prefix")
    func prefix() throws {
        let text = container(
            data: "<TimeInterval><PlainValue>30</PlainValue></TimeInterval>", algorithm: "totp")
        let prefixed =
            text
            .replacingOccurrences(of: "<(/?)([A-Z])", with: "<$1q:$2", options: .regularExpression)
            .replacingOccurrences(of: "xmlns=", with: "xmlns:q=")
        let folder = try Folder()
        let path = try folder.file("r.xml", prefixed)
        try remember(path, account: "al, ice") { state in
            state.lastStep = 77
            state.driftSteps = -3
        }
        let after = try folder.text("r.xml")
        #expect(
            after.contains(
                "</q:Secret><q:Time><q:PlainValue>77</q:PlainValue></q:Time><q:TimeInterval>"))
        #expect(
            after.contains(
                "</q:TimeInterval><q:TimeDrift><q:PlainValue>-3</q:PlainValue></q:TimeDrift>"
                    + "</q:Data><q:UserId>UID=al\\2C ice</q:UserId>"))
        let session = try openToken(path, .serial("S1"), secret: nil, at: 0)
        #expect(session.record.account == "al, ice")
    }

    @Test("A new value stands before an old one that follows without a space")
    func sideBySide() throws {
        let old = "<TimeDrift><PlainValue>1</PlainValue></TimeDrift>"
        let folder = try Folder()
        let path = try folder.file("r.xml", container(data: old, algorithm: "totp"))
        try remember(path) { state in state.lastStep = 7 }
        let new = "</Secret><Time><PlainValue>7</PlainValue></Time>" + old
        #expect(
            try folder.text("r.xml")
                == container(data: old, algorithm: "totp")
                .replacingOccurrences(of: "</Secret>" + old, with: new))
    }

    @Test("A record that others may read is refused with the chmod that mends it")
    func mode() throws {
        let folder = try Folder()
        let path = try folder.file("r.xml", container())
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        do {
            _ = try openToken(path, .serial("S1"), secret: nil, at: 0)
            Issue.record("it is open to others")
        } catch {
            #expect(error.exitCode == .configuration)
            #expect(error.hint == "chmod 600 \(path)")
        }
    }

    @Test("A serial that isn't there, or stands for two keys of now, is told")
    func serials() throws {
        let folder = try Folder()
        let path = try folder.file("r.xml", container())
        let status = { (path: String, serial: String) -> Int32? in
            do throws(Failure) {
                _ = try openToken(path, .serial(serial), secret: nil, at: 0)
                return nil
            } catch { return error.exitCode.rawValue }
        }
        #expect(status(path, "S2") == 66)
        #expect(status(folder.path + "/none", "S1") == 66)
        let twice = container().replacingOccurrences(
            of: "<KeyPackage>", with: onePackage() + "<KeyPackage>")
        #expect(status(try folder.file("two.xml", twice), "S1") == 65)
    }

    private func onePackage() -> String {
        let text = container()
        let start = text.range(of: "<KeyPackage>")!.lowerBound
        return String(text[start..<text.range(of: "</KeyPackage>")!.upperBound])
    }

    @Test(
        "An odd drift is no reason to trap", arguments: ["9223372036854775807", "x", "-2147483649"])
    func oddDrift(text: String) throws {
        let folder = try Folder()
        let drift = "<TimeDrift><PlainValue>\(text)</PlainValue></TimeDrift>"
        let path = try folder.file("r.xml", container(data: drift, algorithm: "totp"))
        #expect(throws: Failure.self) {
            _ = try openToken(path, .serial("S1"), secret: nil, at: 0)
        }
    }

    @Test("A file whose Data declares a prefix of its own can be read after it was bound")
    func prefixOfData() throws {
        let text = container()
            .replacingOccurrences(
                of: "<Data>", with: "<d:Data xmlns:d=\"\(Namespace.pskc)\">"
            )
            .replacingOccurrences(of: "</Data>", with: "</d:Data>")
        let package = try #require(try packages(of: text).keys.first)
        let edit = try #require(package.edit(toAccount: "dr.lee"))
        var bytes = Array(text.utf8)
        bytes.replaceSubrange(edit.range, with: edit.bytes)
        #expect(try packages(of: bytes).keys.map(\.account) == ["dr.lee"])
    }
}
