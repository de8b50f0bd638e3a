// What an opened link offers besides its seed; and the memory that link text lies in.
import Keystore
import Testing

@testable import Activation

@Suite("Enrolment")
struct EnrolmentTests {
    @Test(
        "The suggested name is short enough and can be shown",
        arguments: [
            ("Clinic:ann", "Clinic ann"), ("ann", "ann"), ("Clinic:", "Clinic"), ("", "token"),
            (
                "Clinic:" + String(repeating: "a", count: 60),
                "Clinic " + String(repeating: "a", count: 57)
            ),
            (String(repeating: "%C3%A9", count: 33), String(repeating: "é", count: 32)),
        ])
    func suggestedName(label: String, name: String) throws {
        let link = Array("otpauth://totp/\(label)?secret=JBSWY3DPEHPK3PXP".utf8)
        let enrolment = try parseOTPAuth(link.span)
        #expect(enrolment.suggestedName == name)
    }

    @Test("Link text is kept whole, and too much or none of it is rejected")
    func linkText() throws {
        let bytes = Array("otpauth://totp/x".utf8)
        let text = try LinkText(copying: bytes.span)
        #expect(text.read { $0.indices.map { index in index } } == Array(bytes.indices))
        #expect(text.read { text in bytes.indices.allSatisfy { text[$0] == bytes[$0] } })
        #expect(throws: ActivationError.noLink) { _ = try LinkText(copying: [UInt8]().span) }
        let long = [UInt8](repeating: 0x20, count: LinkText.maximumMailByteCount + 1)
        #expect(throws: ActivationError.tooLong) { _ = try LinkText(copying: long.span) }
        #expect(throws: ActivationError.noLink) {
            _ = try LinkText(SecureBytes(count: 8), byteCount: 0)
        }
    }
}
