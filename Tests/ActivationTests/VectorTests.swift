// The format's own vectors (FORMAT.md §8), made by make_vectors.py, which shares no code with the
// reader: what each link gives, or at which layer and why it is rejected.
import Foundation
import Keystore
import Linux
import OTP
import Testing

@testable import Activation

/// One file of Vectors.
struct LinkVector: CustomTestStringConvertible {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Vectors")
    static let all = load()

    let fields: [String: String]
    let link: [UInt8]
    var testDescription: String { fields["name"]! }
    var isRejected: Bool { fields["expect"] == "rejected" }

    private static func load() -> [LinkVector] {
        let files = try! FileManager.default.contentsOfDirectory(
            at: folder, includingPropertiesForKeys: nil)
        return files.filter { $0.pathExtension == "txt" }.map { file in
            let text = try! String(contentsOf: file, encoding: .utf8)
            let end = text.firstRange(of: "\n\n")!
            let lines = text[..<end.lowerBound].split(separator: "\n").map {
                $0.split(separator: ": ", maxSplits: 1).map(String.init)
            }
            let vector = LinkVector(
                fields: Dictionary(uniqueKeysWithValues: lines.map { ($0[0], $0[1]) }),
                link: Array(text[end.upperBound...].dropLast().utf8))
            precondition(vector.fields["name"]! + ".txt" == file.lastPathComponent)
            return vector
        }.sorted { $0.testDescription < $1.testDescription }
    }

    /// Opens the link with the vector's code or key.
    func open() throws(ActivationError) -> Enrolment {
        let link = try verify()
        if let code = fields["code"] {
            return try link.open(code: try ActivationCode(parsing: Array(code.utf8).span))
        }
        return try link.open(requestKey: requestKey())
    }

    func verify() throws(ActivationError) -> VerifiedLink {
        switch try readLink(link.span) {
        case .signed(let link): return link
        case .unsigned: throw .noLink
        }
    }

    private func requestKey() -> RequestKey {
        let key = TextAlphabet.hexadecimal.bytes(fields["device-key"]!)!
        return try! RequestKey(secret: SecureBytes(copying: key.span))
    }
}

extension ActivationError {
    /// FORMAT.md §3's layer at which a signed link was rejected.
    fileprivate var layer: String {
        switch self {
        case .tooLong, .malformedJWS: "jws"
        case .malformedJSON(.header, _), .unknownMember(.header), .unknownMember(.key): "header"
        case .missingMember(let member), .rejectedMember(let member):
            [.algorithmName, .mediaType, .key, .keyType, .curve, .x].contains(member)
                ? "header" : "payload"
        case .signatureInvalid: "signature"
        case .malformedJSON(.payload, _): "json"
        case .unknownMember(.policy), .unknownVersion, .hardToken: "payload"
        case .wrongCode, .sealedToAnotherDevice: "box"
        default: "none of a signed link's"
        }
    }

    /// The member that was rejected, or the case's own name.
    fileprivate var detail: (member: String?, error: String) {
        switch self {
        case .missingMember(let member), .rejectedMember(let member):
            (member.rawValue, "\(self)")
        case .malformedJSON(_, let error): (nil, "\(error)")
        default: (nil, "\(self)")
        }
    }
}

@Suite("The format's vectors")
struct VectorTests {
    @Test(
        "A link that is accepted makes the right OTP",
        arguments: LinkVector.all.filter { !$0.isRejected })
    func accepted(vector: LinkVector) throws {
        let enrolment = try vector.open()
        let parameters = enrolment.parameters
        #expect(enrolment.origin == .signed)
        var generator = try CodeGenerator(
            seed: enrolment.takeSeed(), algorithm: parameters.algorithm)
        let truncated = generator.truncatedMACs(first: 0, count: 1)[0]
        #expect(
            String(decoding: parameters.digits.digits(of: truncated), as: UTF8.self)
                == vector.fields["otp"])
    }

    @Test(
        "A link that must be rejected is, at its layer and by name",
        arguments: LinkVector.all.filter(\.isRejected))
    func rejected(vector: LinkVector) throws {
        let layer = try #require(vector.fields["layer"])
        do throws(ActivationError) {
            if layer == "box" {
                _ = try vector.verify()
                _ = try vector.open()
            } else {
                _ = try vector.verify()
            }
            Issue.record("accepted")
        } catch {
            // What a sealed box names is a member of the payload, but only the key shows it.
            #expect(error.layer == layer || layer == "box" && error == .rejectedMember(.box))
            #expect(error.detail.member == vector.fields["member"])
            if let expected = vector.fields["error"] { #expect(error.detail.error == expected) }
            #expect(!error.explanation.isEmpty && error.hint?.isEmpty == false)
        }
    }

    @Test("Every must-reject of FORMAT.md has a vector of its name, and the other way round")
    func names() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Sources/Activation/FORMAT.md")
        let text = try String(contentsOf: file, encoding: .utf8)
        let table = try #require(text.components(separatedBy: "## 8. Must reject").last)
        let names = table.split(separator: "\n").filter { $0.hasPrefix("| ") }.dropFirst()
            .flatMap { $0.split(separator: "|")[0].split(separator: ",") }
            .map { $0.trimmingCharacters(in: .whitespaces) }.filter { $0 != "---" }
        let vectors = LinkVector.all.filter(\.isRejected).map(\.testDescription)
        #expect(names.sorted() == vectors)
        #expect(vectors.count > 100)
    }

    @Test("The content of a link is what it says")
    func content() throws {
        let vector = try #require(LinkVector.all.first { $0.testDescription == "ok-everything" })
        let link = try vector.verify()
        #expect(link.issuer == "Example Token Authority" && link.account == "dr.ann@example.org")
        #expect(link.serial == "ST-0001" && link.jti.count == 16)
        #expect(link.issuedAtUnixSeconds == 1_750_000_000)
        #expect(link.expiresUnixSeconds == 1_750_600_000)
        #expect(link.terms.pendingSeconds == 3600)
        #expect(link.terms.expiresUnixSeconds == 1_900_000_000)
        #expect(
            link.terms.policy
                == TokenPolicy(attempts: 3, sessionSeconds: 900, separation: .strict))
        #expect(link.terms.prescribing.count == 3)
        #expect(link.fingerprint == "SRIC-5VVQ-TL3K-YST4")
    }
}
