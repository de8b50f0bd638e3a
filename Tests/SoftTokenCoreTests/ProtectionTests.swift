// What `status` says of a thief: the core's sentence, which every app shows. Source: DESIGN §2, §9.
import Device
import Keystore
import Testing

@testable import SoftTokenCore

@Suite("What status says of the protection") struct ProtectionTests {
    private static let troubles: [ChipTrouble?] =
        [
            nil, .absent, .notPermitted(group: "tss"), .ownerAuthorization, .noRoom, .doesNotCount,
            .answered(code: 0x101), .notAnswering, .busy, .notArmed,
        ]

    private func status(_ protector: Protector, _ obstacle: ChipTrouble?) throws -> Status {
        var facts = KeystoreFacts()
        facts.state = .locked
        facts.protector = protector
        return try Flow(without: .ordinary).status(facts, .separate, obstacle, isLogWhole: true)
    }

    @Test(
        "It names no program, command or option; what can be done is a remedy",
        arguments: troubles)
    func sentence(_ trouble: ChipTrouble?) throws {
        for protector in [Protector.deviceFile(instead: trouble), .chip(handle: 0x0180_0000)] {
            let status = try status(protector, trouble)
            #expect(!status.protection.contains("softtoken"), "\(status.protection)")
            #expect(!status.protection.contains("--"), "\(status.protection)")
            #expect(status.protectionRemedy == (protector.isChip ? nil : .moveShare))
        }
    }

    @Test("Where there is no keystore there is nothing to move")
    func none() throws {
        let status = try Flow(without: .ordinary).status(
            KeystoreFacts(), .separate, nil, isLogWhole: true)
        #expect(status.protectionRemedy == nil)
    }
}
