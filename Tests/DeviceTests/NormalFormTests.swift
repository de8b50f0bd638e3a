// Normal forms and placeholders against FORMAT.md §2.
import Linux
import Testing

@testable import Device

@Suite struct NormalFormTests {
    @Test(
        "A serial has one spelling",
        arguments: [
            ("PF3XK9Q1\n", "PF3XK9Q1"), ("  pf3xk9q1  ", "PF3XK9Q1"), ("WD-WX 21\0\0", "WD-WX 21"),
            ("A1B2\n", "A1B2"), ("1234", "1234"),
            (String(repeating: "ab", count: 32), String(repeating: "AB", count: 32)),
        ])
    func serials(text: String, form: String) {
        #expect(normalSerial(Array(text.utf8)) == Array(form.utf8))
    }

    @Test(
        "A placeholder serial is none",
        arguments: [
            "", "\n", "0", "N/A", "A1B", "00000000", "XXXXXXXX", "........", "-----", "0-0-0-0-0",
            "To be filled by O.E.M.", "To Be Filled By O.E.M", "TO BE FILLED BY OEM",
            "Default string", "default_string", "System Serial Number", "Base Board Serial Number",
            "Chassis Serial Number", "Not Specified", "Not Applicable", "None", "INVALID",
            "123456789", "1234567890", "0123456789ABCDEF", "SSN12345678901234567", "MB-1234567890",
            "a\tb\u{7}cd", "S\u{E9}rie 1234", String(repeating: "AB", count: 33),
        ])
    func placeholderSerials(text: String) {
        #expect(normalSerial(Array(text.utf8)) == nil)
    }

    @Test("A UUID is the bytes that its digits spell, in the order written")
    func uuids() {
        let expected = TextAlphabet.hexadecimal.bytes("4c4c4544004235108044b4c04f4d3232")
        for text in [
            "4c4c4544-0042-3510-8044-b4c04f4d3232\n", "4C4C4544-0042-3510-8044-B4C04F4D3232",
        ] {
            #expect(normalUUID(Array(text.utf8)) == expected)
        }
    }

    @Test(
        "What is no UUID of one device is none",
        arguments: [
            "", "4c4c4544004235108044b4c04f4d3232", "4c4c4544-0042-3510-8044-b4c04f4d323",
            "4c4c4544-0042-3510-8044-b4c04f4d3232 ", "4c4c4544-0042-3510-8044-b4c04f4d323g",
            "4c4c45440042-3510--8044-b4c04f4d3232", "00000000-0000-0000-0000-000000000000",
            "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "03000200-0400-0500-0006-000700080009",
            "00020003-0004-0005-0006-000700080009", "4C4C4544-0000-2010-8020-80C04F202020",
            "12345678-1234-5678-90AB-CDDEEFAABBCC", "00010203-0405-0607-0809-0A0B0C0D0E0F",
            "03020100-0504-0706-0809-0a0b0c0d0e0f", "11111111-2222-3333-4444-555555555555",
        ])
    func placeholderUUIDs(text: String) {
        #expect(normalUUID(Array(text.utf8)) == nil)
    }

    @Test("A file system's UUID is lower-case digits and dashes")
    func fileSystemUUIDs() {
        #expect(normalUUIDText("3F1B5C6E-8E3D") == Array("3f1b5c6e-8e3d".utf8))
        #expect(normalUUIDText("AB12-34CD") == Array("ab12-34cd".utf8))
        for text in [
            "", "ab1", "0000-0000", "rpool", "ab12\\x20", String(repeating: "ab", count: 33),
        ] {
            #expect(normalUUIDText(text) == nil, "\(text)")
        }
    }

    @Test("A MAC address is six bytes")
    func macs() {
        #expect(
            normalMAC(Array("a4:4c:c8:11:22:33\n".utf8)) == [0xA4, 0x4C, 0xC8, 0x11, 0x22, 0x33])
        #expect(normalMAC(Array("A4:4C:C8:11:22:33".utf8)) == [0xA4, 0x4C, 0xC8, 0x11, 0x22, 0x33])
    }

    @Test(
        "A MAC address that a card wasn't made with is none",
        arguments: [
            "", "a4:4c:c8:11:22", "a4:4c:c8:11:22:33:44", "a44cc8112233", "a4:4c:c8:11:22:3g",
            "a:4:4c:c8:11:22", "02:fc:00:00:00:01", "01:00:5e:00:00:01", "00:00:00:00:00:00",
            "00:11:22:33:44:55", "00:e0:4c:68:00:01", "08:00:27:aa:bb:cc", "00:0c:29:aa:bb:cc",
            "00:50:56:aa:bb:cc", "00:15:5d:aa:bb:cc", "00:16:3e:aa:bb:cc", "00:1c:42:aa:bb:cc",
        ])
    func otherMACs(text: String) {
        #expect(normalMAC(Array(text.utf8)) == nil)
    }

    @Test("An identity is sorted, each identifier once, eight of a kind")
    func identities() {
        let many = (UInt8(0)..<12).reversed().map { Identifier(.diskSerial, [$0]) }
        let identity = DeviceIdentity(
            many + many + [Identifier(.macAddress, [1]), Identifier(.machineID, [2])])
        let disks = (UInt8(0)..<8).map { Identifier(.diskSerial, [$0]) }
        #expect(
            identity.identifiers == [Identifier(.machineID, [2])] + disks
                + [Identifier(.macAddress, [1])])
    }
}
