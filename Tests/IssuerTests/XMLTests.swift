// The XML that is read and the XML that is refused: document types, depth, encodings.
import Testing

@testable import softtoken_issuer

@Suite("XML")
struct XMLTests {
    /// What is said of the file; nil for one that is read.
    private func error(_ text: String) throws -> String? {
        do {
            _ = try packages(of: text)
            return nil
        } catch let error as Failure {
            #expect(error.exitCode == .rejected)
            return error.message?.split(separator: "file.xml ").last.map(String.init)
        }
    }

    private let malformed = "is damaged: its keys are not in order"
    private func notWellFormed(line: Int) -> String { "is damaged: line \(line) is no XML" }
    private func tooDeep(line: Int) -> String { "is nested too deep in line \(line)" }
    private func tooLong(line: Int) -> String {
        "has over 1 MiB of text, a tag or a comment at once in line \(line)"
    }

    @Test(
        "A document type definition is refused, whatever is in it",
        arguments: [
            "<!DOCTYPE KeyContainer>", "<!DOCTYPE a SYSTEM \"file:///etc/passwd\">",
            "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>",
            "<!DOCTYPE a [<!ENTITY x \"1\"><!ENTITY y \"&x;&x;&x;&x;\">]>",
            "<!DOCTYPE a PUBLIC \"p\" \"http://127.0.0.1/x.dtd\">",
        ])
    func doctype(declaration: String) throws {
        let text = container().replacingOccurrences(of: "?>", with: "?>\n" + declaration)
        #expect(try error(text) == "has a document type definition in line 2")
    }

    @Test("An entity that nobody declared is no XML")
    func entity() throws {
        #expect(try error(container(data: "&x;")) == notWellFormed(line: 7))
    }

    @Test("Elements in elements without end are too much")
    func depth() throws {
        let bomb = String(repeating: "<x>", count: 40) + String(repeating: "</x>", count: 40)
        #expect(try error(container(data: bomb)) == tooDeep(line: 7))
    }

    @Test("Text without end is too much")
    func text() throws {
        let flood = "<x>" + String(repeating: "a", count: (1 << 20) + 1) + "</x>"
        #expect(try error(container(data: flood)) == tooLong(line: 7))
    }

    @Test("A tag or a comment without end is too much", arguments: ["<x a=\"@\"/>", "<!--@-->"])
    func silence(around: String) throws {
        let flood = String(repeating: "a", count: 3 << 20)
        let text = container(data: around.replacingOccurrences(of: "@", with: flood))
        #expect(try error(text) == tooLong(line: 7))
        let tame = container(data: around.replacingOccurrences(of: "@", with: "aaa"))
        #expect(try error(tame) == nil)
    }

    @Test("A file with a changed byte is read or rejected, and never a crash")
    func mutations() throws {
        let bytes = Array(container(policy: "<KeyUsage>OTP</KeyUsage>").utf8)
        var generator = SystemRandomNumberGenerator()
        var rejected = 0
        for index in bytes.indices {
            var changed = bytes
            changed[index] = [0, 0x3C, 0x26, 0x22, 0xFF, generator.next()].randomElement()!
            do {
                let (keys, _) = try packages(of: changed)
                for key in keys { _ = try? key.parameters(PSKCKeyring()) }
                for key in keys { _ = try? key.seed(PSKCKeyring()).byteCount }
            } catch { rejected += 1 }
        }
        #expect(rejected > bytes.count / 4)
    }

    @Test("A file that is no container, of another version, or without a key is told apart")
    func containers() throws {
        #expect(try error("<html/>") == "is not a PSKC file")
        #expect(try error("<KeyContainer Version=\"1.0\"/>") == "is not a PSKC file")
        let root = "<KeyContainer xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\""
        #expect(try error(root + " Version=\"2.0\"/>") == "is of an unknown version of PSKC")
        #expect(try error(root + " Version=\"1.0\"/>") == malformed)
        #expect(try error(root + " Version=\"1.0\"><KeyPackage/></KeyContainer>") == malformed)
        #expect(try error("") == notWellFormed(line: 1))
        #expect(try error(container() + "<a/>") == notWellFormed(line: 10))
    }

    @Test("Two keys in one package are malformed, and so is an encryption key behind a package")
    func order() throws {
        let key = "<Key Id=\"2\"/></KeyPackage>"
        #expect(
            try error(container().replacingOccurrences(of: "</KeyPackage>", with: key))
                == malformed)
        let late = "</KeyPackage><EncryptionKey/>"
        #expect(
            try error(container().replacingOccurrences(of: "</KeyPackage>", with: late))
                == malformed)
    }

    @Test("Every element knows its bytes, `<a/>` too")
    func ranges() throws {
        let text = "<r xmlns=\"urn:a\"><é/><p:b xmlns:p=\"urn:b\" c=\"1\">x<!-- y -->z</p:b></r>"
        var found: [XMLElement] = []
        let bytes = Array(text.utf8)
        let slice = { (range: Range<Int>) in String(decoding: bytes[range], as: UTF8.self) }
        let reader = try XMLReader("r")
        // A byte at a time: where the pieces end must not matter.
        for (index, byte) in bytes.enumerated() {
            found += reader.feed([byte], isLast: index == bytes.count - 1)
        }
        #expect(reader.failure == nil)
        #expect(slice(try #require(reader.root).startTag) == "<r xmlns=\"urn:a\">")
        let tags = found.map { [slice($0.startTag), slice($0.endTag), slice($0.range)] }
        let whole = "<p:b xmlns:p=\"urn:b\" c=\"1\">x<!-- y -->z</p:b>"
        #expect(
            tags == [
                ["<é/>", "", "<é/>"], ["<p:b xmlns:p=\"urn:b\" c=\"1\">", "</p:b>", whole],
            ])
        #expect(found.map(\.text) == [[], Array("xz".utf8)])
    }
}
