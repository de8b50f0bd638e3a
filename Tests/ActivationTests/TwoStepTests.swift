// privacyIDEA's two-step enrolment (CONTRACT §5): PBKDF2 against Wycheproof, base32check against
// privacyIDEA's own tests, the whole against Python's hashlib.
import Foundation
import Keystore
import Linux
import OTP
import Testing

@testable import Activation
@testable import Keystore

private func bytes(hex: String) -> [UInt8] { TextAlphabet.hexadecimal.bytes(hex)! }

private struct PBKDF2Vectors: Decodable {
    struct Group: Decodable { let tests: [Case] }
    struct Case: Decodable {
        let tcId: Int
        let password: String
        let salt: String
        let iterationCount: Int
        let dkLen: Int
        let dk: String
    }
    let testGroups: [Group]
}

private func twoStep(_ parameters: String, type: String = "totp") throws(ActivationError)
    -> Enrolment
{
    let link = "otpauth://\(type)/x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&\(parameters)"
    return try parseOTPAuth(Array(link.utf8).span)
        .completed { count in (0..<count).map { UInt8($0) } }
}

@Suite("Two-step enrolment")
struct TwoStepTests {
    @Test("PBKDF2-HMAC-SHA-1 agrees with Wycheproof")
    func wycheproof() throws {
        let file = sharedVectors.appending(path: "wycheproof/pbkdf2_hmacsha1_test.json")
        guard let data = try? Data(contentsOf: file) else {
            print("wycheproof not found at \(file.path): skipped")
            return
        }
        let vectors = try JSONDecoder().decode(PBKDF2Vectors.self, from: data)
        var checked = 0
        for vector in vectors.testGroups.flatMap(\.tests)
        where !vector.password.isEmpty && !vector.salt.isEmpty && vector.iterationCount <= 100_000 {
            let password = try SecureBytes(copying: bytes(hex: vector.password).span)
            let key = try pbkdf2HMACSHA1(
                password, salt: bytes(hex: vector.salt), iterations: vector.iterationCount,
                byteCount: vector.dkLen)
            let expected = try SecureBytes(copying: bytes(hex: vector.dk).span)
            let isSame = key.matches(expected)
            #expect(isSame, "tcId \(vector.tcId)")
            checked += 1
        }
        #expect(checked > 30)
    }

    @Test("base32check agrees with privacyIDEA's tests")
    func base32check() {
        // privacyidea tests/test_lib_utils.py, test_22.
        #expect(base32Check(bytes(hex: "03ab74074b824fa6")) == "TIXQ W4YD VN2A OS4C J6TA")
        // FIPS 180-4, example of SHA-1.
        #expect(sha1(Array("abc".utf8)) == bytes(hex: "a9993e364706816aba3e25717850c26c9cd0d89d"))
    }

    @Test(
        "The seed of both parts is what Python's hashlib makes",
        arguments: [
            ("2step_difficulty=10000", "totp", "M5BD 5PYA AEBA GBAF AYDQ", 20, 1_886_596_393),
            (
                "2step_salt=8&2step_output=20&2step_difficulty=1000", "totp",
                "M5BD 5PYA AEBA GBAF AYDQ", 20, 1_678_919_879
            ),
            (
                "2step_salt=12&algorithm=SHA256", "totp", "Z74W CHAA AEBA GBAF AYDQ QCIK BM", 32,
                1_951_666_866
            ),
            (
                "2step_output=16&algorithm=SHA512", "totp", "M5BD 5PYA AEBA GBAF AYDQ", 16,
                1_890_233_670
            ),
            (
                "2step_salt=64&counter=0&algorithm=SHA512", "hotp",
                "YYJY 2UIA AEBA GBAF AYDQ QCIK BMGA 2DQP CAIR EEYU CULB OGAZ DINR YHI6 D4QC CIRD EQSS MJZI FEVC WLBN FYXT AMJS GM2D KNRX HA4T UOZ4 HU7D 6",
                64, 152_460_640
            ),
        ] as [(String, String, String, Int, UInt32)])
    func seed(parameters: String, type: String, clientPart: String, byteCount: Int, mac: UInt32)
        throws
    {
        let enrolment = try twoStep(parameters, type: type)
        #expect(enrolment.clientPart == clientPart)
        let algorithm = enrolment.parameters.algorithm
        let seed = enrolment.takeSeed()
        #expect(seed.byteCount == byteCount)
        var generator = try CodeGenerator(seed: seed, algorithm: algorithm)
        #expect(generator.truncatedMACs(first: 0, count: 1) == [mac])
    }

    @Test("A link with one part asks for no other")
    func onePart() throws {
        let enrolment = try twoStep("pin=True&app_force_unlock=True")
        #expect(enrolment.clientPart == nil)
        let seed = enrolment.takeSeed()
        #expect(seed.byteCount == 20)
    }

    @Test(
        "Parameters outside their limits are rejected by name",
        arguments: [
            ("2step_salt=7", .twoStepSalt), ("2step_salt=65", .twoStepSalt),
            ("2step_salt=", .twoStepSalt), ("2step_output=9", .twoStepOutput),
            ("2step_output=65", .twoStepOutput), ("2step_difficulty=999", .twoStepDifficulty),
            ("2step_difficulty=1000001", .twoStepDifficulty),
            ("2step_difficulty=1e4", .twoStepDifficulty),
        ] as [(String, OTPAuthParameter)])
    func limits(parameters: String, parameter: OTPAuthParameter) {
        #expect(throws: ActivationError.rejectedNumber(parameter)) { _ = try twoStep(parameters) }
    }

    @Test("A repeated two-step parameter is rejected")
    func repeated() {
        for parameter in [OTPAuthParameter.twoStepSalt, .twoStepOutput, .twoStepDifficulty] {
            #expect(throws: ActivationError.repeatedParameter(parameter)) {
                _ = try twoStep("\(parameter.rawValue)=20&\(parameter.rawValue)=20")
            }
        }
    }

    @Test("The same link twice in a mail is one link with one client part")
    func mail() throws {
        let link = "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&2step_difficulty=1000"
        let mail = Array("Open\n\n\(link)\n\nor again\n\n\(link)\n".utf8)
        guard case .unsigned(let enrolment) = try readMail(mail) else {
            Issue.record("not an otpauth link")
            return
        }
        #expect(enrolment.clientPart?.count == 24)
    }
}
