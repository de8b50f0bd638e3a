// Files as other programs write them: a European Excel's CSV, python-pskc's PSKC; and what is told of
// those that can't be taken.
import Foundation
import Keystore
import Linux
import OTP
import Testing

@testable import softtoken_issuer

@Suite("Files of other programs")
struct ForeignFileTests {
    private let folder: Folder
    init() throws { folder = try Folder() }

    @Test("Semicolons separate where the first row has them, and only there")
    func semicolons() throws {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let european = try rows(mark + Array("account;serial\r\na,b;S1\r\n\"c;d\";S2\r\n".utf8))
        #expect(european.map(\.texts) == [["account", "serial"], ["a,b", "S1"], ["c;d", "S2"]])
        let quoted = try rows(Array("\"a;b\"\n\"c;d\"\n".utf8))
        #expect(quoted.map(\.texts) == [["a;b"], ["c;d"]] && csvField("a;b") == "\"a;b\"")
        let plain = try rows(Array("account,serial\na;b,S1\n".utf8))
        #expect(plain.map(\.texts) == [["account", "serial"], ["a;b", "S1"]])
    }

    @Test("A field is taken without the white space around it")
    func trimmed() throws {
        let columns = try CSVColumns([" Account ", "serial"])
        let token = try TokenOptions.parse([])
        let order = try columns.order([" al ice\t", "\u{A0}S1 "], token: token, terms: .init())
        #expect(order.account == "al ice" && order.serial == "S1")
    }

    @Test("Latin-1 is told as what is not UTF-8")
    func latin1() throws {
        let found = try rows(Array("account\nzo".utf8) + [0xEB, 0x0A] + Array("\"a\n".utf8))
        let problems: [Failure?] = [nil, .notUTF8, .notCSV]
        for (row, problem) in zip(found, problems) {
            if case .failure(let error) = row.fields { #expect(error == problem) }
        }
        #expect(found.map(\.texts) == [["account"], nil, nil])
    }

    @Test("A column of another name is ignored, and is named")
    func otherColumns() throws {
        let columns = try CSVColumns(["account", "Telephone", "\u{7}"])
        #expect(columns.ignored == ["telephone", "number 3"])
        #expect(try CSVColumns(["account", "serial"]).ignored.isEmpty)
    }

    @Test("A column that is mistyped, stands twice or is missing is named")
    func columns() {
        for (head, word) in [
            (["account", "serail"], "serail"), (["account", "digits", "digits"], "digits"),
            (["account", "account"], "account"), (["serial"], "account"), ([""], "account"),
            (["account", "digit"], "is digits meant?"),
            (["account", "reqest"], "is request meant?"),
        ] {
            let problem = #expect(throws: Failure.self) { _ = try CSVColumns(head) }
            #expect(problem?.message?.contains(word) == true)
        }
    }

    /// RFC 3394 §4.1: its key and its data, as a seed of 16 bytes.
    private func wrapped(
        method: String, encryptionKey: String = "<EncryptionKey/>",
        algorithm: String = "http://www.w3.org/2001/04/xmlenc#kw-aes128"
    ) -> String {
        container()
            .replacing(
                "<KeyPackage>", with: encryptionKey + method + "<KeyPackage>"
            )
            .replacing(
                "<PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</PlainValue>",
                with: """
                    <EncryptedValue xmlns:e="http://www.w3.org/2001/04/xmlenc#"><e:EncryptionMethod \
                    Algorithm="\(algorithm)"/><e:CipherData><e:CipherValue>\
                    H6aLCoEStEeu80vY+1p7gp0+hiNx0s/l</e:CipherValue></e:CipherData></EncryptedValue>
                    """)
    }

    private func seedByteCount(_ text: String) throws -> Int {
        let (keys, outline) = try packages(of: text)
        let package = try #require(keys.first)
        let keyring = try PSKCKeyring(
            outline.protection,
            unlockedWith: try secret(Array("000102030405060708090A0B0C0D0E0F".utf8)))
        return try package.seed(keyring).byteCount
    }

    @Test(
        "Key wrap under a key without a name is opened, with an empty MACMethod as python-pskc has it",
        arguments: ["", "<MACMethod/>", "<MACMethod><MACKey/></MACMethod>"])
    func keyWrap(method: String) throws {
        #expect(try seedByteCount(wrapped(method: method)) == 16)
    }

    @Test("What can't be opened is told by name")
    func named() throws {
        for name in ["tripledes-cbc", "kw-tripledes"] {
            let algorithm = "http://www.w3.org/2001/04/xmlenc#" + name
            #expect(throws: Failure.tripleDES) {
                _ = try seedByteCount(wrapped(method: "", algorithm: algorithm))
            }
        }
        let rounds = """
            <EncryptionKey><DerivedKey><KeyDerivationMethod Algorithm="\
            http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#pbkdf2"><PBKDF2-params><Salt>\
            <Specified>MTIzNDU2Nzg=</Specified></Salt><IterationCount>99999999</IterationCount>\
            </PBKDF2-params></KeyDerivationMethod></DerivedKey></EncryptionKey>
            """
        #expect(throws: Failure.tooManyRounds) {
            _ = try seedByteCount(wrapped(method: "", encryptionKey: rounds))
        }
        let certificate = "<EncryptionKey><X509Data/></EncryptionKey>"
        #expect(throws: Failure.unsupportedEncryption) {
            _ = try seedByteCount(wrapped(method: "", encryptionKey: certificate))
        }
    }

    @Test("What a key lacks is told by name")
    func lacking() throws {
        let bare = try packages(of: container().replacing(" Encoding=\"DECIMAL\"", with: "")).keys
        #expect(throws: Failure.missingEncoding) {
            _ = try bare.first?.parameters(PSKCKeyring())
        }
        let ocra = container().replacing("pskc:hotp", with: "pskc:OCRA-1:HOTP-SHA1-6:QN08")
        let vendor = try VendorFile(try folder.file("o.xml", ocra), keyFd: nil)
        let failure = #expect(throws: Failure.self) { _ = try vendor.onlyToken(nil, at: 0) }
        #expect(failure?.message?.contains("OCRA") == true && failure?.exitCode == .rejected)
        let long = String(repeating: "9", count: 33)
        let serial = container().replacing("<SerialNo>S1", with: "<SerialNo>" + long)
        let file = try VendorFile(try folder.file("s.xml", serial), keyFd: nil)
        let package = try file.onlyToken(nil, at: 0)
        #expect(throws: Failure.serialLength) { _ = try file.open(package, at: 0) }
        let words = Failure.serialLength
        #expect(
            words.message?.contains("SerialNo") == true && words.message?.contains("32") == true)
    }

    @Test(
        "A draft from before RFC 6030 is told to be one",
        arguments: [
            "urn:ietf:params:xml:ns:keyprov:pskc:1.0",
            "urn:ietf:params:xml:ns:keyprov:container:1.0",
            "http://www.openauthentication.org/OATH/2006/10/PSKC",
        ])
    func draft(namespace: String) throws {
        let file = container().replacing(
            "urn:ietf:params:xml:ns:keyprov:pskc\"", with: namespace + "\"")
        let vendor = try VendorFile(try folder.file("d.xml", file), keyFd: nil)
        let failure = #expect(throws: Failure.self) { _ = try vendor.onlyToken(nil, at: 0) }
        #expect(failure?.message?.contains("draft") == true && failure?.exitCode == .rejected)
    }

    @Test(
        "An element that stands twice means that the key is not used",
        arguments: [
            ("<Counter><PlainValue>7</PlainValue></Counter></Data>", "</Data>", "Counter"),
            ("<Suite>SHA1</Suite><Suite>SHA256</Suite><ResponseFormat", "<ResponseFormat", "Suite"),
            ("<Secret><PlainValue>AAAA</PlainValue></Secret></Data>", "</Data>", "Secret"),
            (
                "<Policy/><Policy><ExpiryDate>2000-01-01T00:00:00Z</ExpiryDate></Policy></Key>",
                "</Key>", "Policy"
            ),
            ("<UserId>UID=b</UserId><UserId>UID=a</UserId></Key>", "</Key>", "UserId"),
        ])
    func twice(new: String, old: String, name: String) throws {
        let text = container().replacing(old, with: new)
            .replacing("<Data>", with: "<Data><Counter><PlainValue>1</PlainValue></Counter>")
        let key = try #require(try packages(of: text).keys.first)
        #expect(throws: Failure.repeatedElement(name)) {
            _ = try key.parameters(PSKCKeyring())
        }
    }

    @Test("A Suite that says its hash in an attribute is rejected, and an empty one is SHA-1")
    func suite() throws {
        for (suite, algorithm) in [
            ("<Suite hashalgo=\"sha256\"/>", nil), ("<Suite/>", .sha1),
            ("<Suite>SHA256</Suite>", .sha256),
            ("<Suite>HMAC-SHA512</Suite>", .sha512),
        ] as [(String, HashAlgorithm?)] {
            let text = container().replacing("<ResponseFormat", with: suite + "<ResponseFormat")
            let key = try #require(try packages(of: text).keys.first)
            guard let algorithm else {
                #expect(throws: Failure.unsupportedSuite) {
                    _ = try key.parameters(PSKCKeyring())
                }
                continue
            }
            #expect(try key.parameters(PSKCKeyring()).algorithm == algorithm)
        }
    }

    @Test("The one key of a file is told why it isn't used")
    func only() throws {
        let text = container().replacing("pskc:hotp", with: "pskc:pin")
        let vendor = try VendorFile(try folder.file("p.xml", text), keyFd: nil)
        let package = try vendor.onlyToken(nil, at: 0)
        #expect(throws: Failure.unsupportedAlgorithm) { _ = try vendor.open(package, at: 0) }
    }
}
