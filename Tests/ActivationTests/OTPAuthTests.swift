// otpauth links judged by CONTRACT §5: the corpus of links met in the wild, and each rejection.
import Foundation
import Keystore
import OTP
import Testing

@testable import Activation

/// What a link gave, without its seed.
struct Opened: Equatable {
    var issuer: String?
    var account: String?
    var parameters: TokenParameters
    var warnings: TokenWarnings
    var seedByteCount: Int
}

func open(_ link: String) -> Result<Opened, ActivationError> {
    do throws(ActivationError) {
        let enrolment = try parseOTPAuth(Array(link.utf8).span)
        let (issuer, account) = (enrolment.identity.issuer, enrolment.identity.account)
        let (parameters, warnings) = (enrolment.parameters, enrolment.warnings)
        let seed = enrolment.takeSeed()
        return .success(
            Opened(
                issuer: issuer, account: account, parameters: parameters, warnings: warnings,
                seedByteCount: seed.byteCount))
    } catch { return .failure(error) }
}

func totp(
    _ algorithm: HashAlgorithm = .sha1, digits: Int = 6, seconds: Int = 30
) -> TokenParameters {
    TokenParameters(
        algorithm: algorithm, digits: DigitCount(digits)!, factor: .time(stepSeconds: seconds))
}

func accepted(
    _ issuer: String?, _ account: String?, _ parameters: TokenParameters = totp(),
    _ warnings: TokenWarnings = .shortSeed, seed: Int = 10
) -> Result<Opened, ActivationError> {
    .success(
        Opened(
            issuer: issuer, account: account, parameters: parameters, warnings: warnings,
            seedByteCount: seed))
}

@Suite("otpauth links")
struct OTPAuthTests {
    static let ten = "secret=JBSWY3DPEHPK3PXP"

    /// Our verdict on each row of otpauth/uri_corpus.tsv, in its order.
    static let corpusVerdicts: [Result<Opened, ActivationError>] = [
        accepted("Example", "alice@google.com"),
        accepted("Foo", "bar", totp(.sha512, digits: 8, seconds: 60)),
        .failure(.missingCounter),
        accepted("Bar", "bar", totp(), [.shortSeed, .issuerDiffers]),
        .failure(.unknownAlgorithm),
        accepted(nil, "x", totp(seconds: 200)),
        accepted(nil, "u"),
        .failure(.malformedPercentEncoding),
        .failure(.missingSecret),
        .failure(.rejectedNumber(.counter)),
        accepted("Example", "alice"),
        .failure(.malformedPercentEncoding),
        accepted("Example", "alice", totp(.sha256)),
        .failure(.unknownAlgorithm),
        .failure(.rejectedNumber(.period)),
        .failure(.rejectedNumber(.digits)),
        accepted("Example", "alice", totp(seconds: 120)),
        .failure(.malformedPercentEncoding),
        accepted("Example", "alice@google.com", totp(.sha256, digits: 8)),
        accepted(nil, "alice@google.com"),
        .failure(.unknownType),
        .failure(.missingSecret),
        .failure(.foreign(.steam)),
        .failure(.repeatedParameter(.algorithm)),
        .failure(.seedTooShort),
        .failure(.seedTooShort),
        .failure(.seedTooShort),
        .failure(.seedTooShort),
        .failure(.repeatedParameter(.algorithm)),
        .failure(.foreign(.steam)),
        .failure(.secretNotBase32),
        .failure(.seedTooShort),
        accepted("ACME Co", "john.doe@email.com", totp(), [], seed: 20),
        .failure(.seedTooShort),
        accepted("Google", "foo@example.com", totp(), [], seed: 20),
        accepted("test 123", "test 123"),
        accepted("喵 と Nyaa (https://old.huihui.cat)", "user"),
    ]

    @Test("Links met in the wild are judged by our contract")
    func corpus() throws {
        let file = sharedVectors.appending(path: "otpauth/uri_corpus.tsv")
        guard let text = try? String(contentsOf: file, encoding: .utf8) else {
            print("otpauth corpus not found at \(file.path): skipped")
            return
        }
        let links = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.dropFirst()
            .map { String($0.split(separator: "\t", omittingEmptySubsequences: false)[1]) }
        try #require(links.count == OTPAuthTests.corpusVerdicts.count)
        for (link, verdict) in zip(links, OTPAuthTests.corpusVerdicts) {
            #expect(open(link) == verdict, "\(link)")
        }
    }

    @Test(
        "Spellings of the wild are accepted",
        arguments: [
            "otpauth://totp/x?secret=jbsw y3dp-EHPK3PXP",
            "otpauth://totp/x?secret=JBSWY3DP+EHPK3PXP",
            "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP====",
            "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP%3D%3d",
            "OTPAUTH://TOTP/x?SECRET=JBSWY3DPEHPK3PXP",
            "otpauth://totp/x?&&secret=JBSWY3DPEHPK3PXP&",
            "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&encoder=",
            "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&algorithm=HmacSHA1",
            "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&algorithm=sha-1",
            "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&pin=True&app_force_unlock=True",
            "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&image=https%3A%2F%2Fx%2Fy.png#top",
        ])
    func spellings(link: String) { #expect(open(link) == accepted(nil, "x")) }

    @Test(
        "The label names issuer and account",
        arguments: [
            ("ACME%20Co:john", "ACME Co", "john"), ("ACME%3Ajohn", "ACME", "john"),
            ("ACME Co: john", "ACME Co", "john"), ("john+epcs@x.org", nil, "john+epcs@x.org"),
            (":john", nil, "john"), ("ACME:", "ACME", nil), ("", nil, nil),
            ("ACME+Co:john&issuer", "ACME+Co", "john&issuer"),
        ] as [(String, String?, String?)])
    func label(label: String, issuer: String?, account: String?) {
        #expect(open("otpauth://totp/\(label)?\(OTPAuthTests.ten)") == accepted(issuer, account))
    }

    @Test("A plus sign in the label is a space where the issuer parameter says so")
    func plusInLabel() {
        let link = "otpauth://totp/ACME+Co:john+x?\(OTPAuthTests.ten)&issuer=ACME+Co"
        #expect(open(link) == accepted("ACME Co", "john+x"))
    }

    @Test("A hotp link needs its counter and keeps it")
    func hotp() {
        for counter: UInt64 in [0, 7, 1 << 53 - 1] {
            let link = "otpauth://hotp/x?\(OTPAuthTests.ten)&counter=\(counter)"
            let parameters = TokenParameters(
                algorithm: .sha1, digits: DigitCount(6)!, factor: .counter(counter))
            #expect(open(link) == accepted(nil, "x", parameters))
        }
    }

    @Test("A seed of 16 bytes is accepted without a warning, one of 15 with it")
    func shortSeed() {
        let sixteen = String(repeating: "A", count: 26)
        #expect(
            open("otpauth://totp/x?secret=\(sixteen)") == accepted(nil, "x", totp(), [], seed: 16))
        let fifteen = String(repeating: "A", count: 24)
        #expect(
            open("otpauth://totp/x?secret=\(fifteen)")
                == accepted(nil, "x", totp(), .shortSeed, seed: 15))
    }

    static let rejections: [(String, ActivationError)] = [
        ("x?secret=", .emptySecret), ("x?secret", .emptySecret), ("x?secret====", .emptySecret),
        ("x", .missingSecret), ("x?digits=6", .missingSecret),
        ("x?secret=JBSWY3DPEHPK3PX1", .secretNotBase32),
        ("x?secret=JBSWY3DPEHPK3PXP=A", .secretNotBase32),
        ("x?secret=JBSWY3DPEHPK3", .seedTooShort),
        ("x?secret=" + String(repeating: "A", count: 104), .seedTooLong),
        ("x?\(ten)&algorithm=", .unknownAlgorithm), ("x?\(ten)&algorithm=sha3", .unknownAlgorithm),
        ("x?\(ten)&encoder=hex", .unsupportedEncoder),
        ("x?\(ten)&encoder=STEAM", .foreign(.steam)),
        ("x?\(ten)&digits=5", .rejectedNumber(.digits)),
        ("x?\(ten)&digits=9", .rejectedNumber(.digits)),
        ("x?\(ten)&digits=", .rejectedNumber(.digits)),
        ("x?\(ten)&digits=6.0", .rejectedNumber(.digits)),
        ("x?\(ten)&digits=+6", .rejectedNumber(.digits)),
        ("x?\(ten)&digits=%EF%BC%96", .rejectedNumber(.digits)),
        ("x?\(ten)&period=0", .rejectedNumber(.period)),
        ("x?\(ten)&period=301", .rejectedNumber(.period)),
        ("x?\(ten)&period=030", .rejectedNumber(.period)),
        ("x?\(ten)&counter=9007199254740992", .rejectedNumber(.counter)),
        ("x?\(ten)&counter=99999999999999999999", .rejectedNumber(.counter)),
        ("x?\(ten)&image=%", .malformedPercentEncoding),
        ("x?\(ten)&image=%4", .malformedPercentEncoding),
        ("x%?\(ten)", .malformedPercentEncoding), ("x?\(ten)&%zz=1", .malformedPercentEncoding),
        ("x%00?\(ten)", .controlCharacter), ("x?\(ten)&image=%00", .controlCharacter),
        ("x?\(ten)%0A", .controlCharacter), ("x\u{1b}?\(ten)", .controlCharacter),
        ("x?\(ten)&issuer=%7F", .controlCharacter),
        ("x%FF?\(ten)", .unacceptableText(.account)),
        ("x?\(ten)&issuer=%E2%80%AE", .unacceptableText(.issuer)),
        ("x?\(ten)&issuer=%C2%85", .unacceptableText(.issuer)),
        ("x?\(ten)&issuer=" + String(repeating: "i", count: 65), .unacceptableText(.issuer)),
        (String(repeating: "a", count: 129) + "?\(ten)", .unacceptableText(.account)),
    ]

    @Test("Each rejection has its own name", arguments: rejections)
    func rejection(link: String, error: ActivationError) {
        #expect(open("otpauth://totp/" + link) == .failure(error))
    }

    @Test(
        "A repeated parameter is rejected, even if it says the same",
        arguments: [
            ("secret", "JBSWY3DPEHPK3PXP"), ("algorithm", "SHA1"), ("digits", "6"),
            ("period", "30"), ("counter", "0"), ("issuer", "I"),
        ])
    func repeated(name: String, value: String) throws {
        let parameter = try #require(OTPAuthParameter(rawValue: name))
        for second in [
            name, name.uppercased(), "%\(String(name.utf8.first!, radix: 16))" + name.dropFirst(),
        ] {
            let link =
                "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&\(name)=\(value)&\(second)=\(value)"
            #expect(open(link) == .failure(.repeatedParameter(parameter)), "\(second)")
        }
    }

    @Test(
        "Another type is rejected",
        arguments: [
            "otpauth://", "otpauth:///", "otpauth://motp/x", "otpauth://totpx/x", "otpauth://hot",
        ])
    func type(link: String) {
        #expect(open(link + "?\(OTPAuthTests.ten)") == .failure(.unknownType))
    }

    @Test("A link of 16 KiB is accepted, one of a byte more is rejected")
    func length() {
        let start = "otpauth://totp/x?\(OTPAuthTests.ten)&image="
        let link = start + String(repeating: "i", count: 16384 - start.utf8.count)
        #expect(open(link) == accepted(nil, "x"))
        #expect(open(link + "i") == .failure(.tooLong))
    }

    @Test("A cut or changed link is judged, and never crashes the parser")
    func damage() {
        let link = Array(
            "otpauth://hotp/A%20B:x?secret=JBSWY3DPEHPK3PXP&issuer=A+B&digits=8&counter=1".utf8)
        let secretEnd = link.span.firstRange(of: "PXP", in: link.indices)!.upperBound
        for count in 0..<secretEnd {
            #expect(throws: ActivationError.self) {
                _ = try parseOTPAuth(Array(link[..<count]).span)
            }
        }
        for index in link.indices {
            for bit in 0..<8 {
                var changed = link
                changed[index] ^= 1 << UInt8(bit)
                guard let enrolment = try? parseOTPAuth(changed.span) else { continue }
                #expect((6...8).contains(enrolment.parameters.digits.value))
            }
        }
    }

    @Test("What begins otherwise is no link")
    func scheme() {
        for link in ["", "otpauth:", "https://totp/x?\(OTPAuthTests.ten)"] {
            #expect(open(link) == .failure(.noLink))
        }
    }
}

/// The vectors that all parts of the project share; absent in a bare checkout.
let sharedVectors = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../../shared/vectors").standardizedFileURL
