// The separation policy against a table of made-up machines (DESIGN §6), and its rules one by one.
import Testing

@testable import Device

@Suite struct SeparationTests {
    @Test(
        "A made-up machine gets its verdict, its words and its advice",
        arguments: sameRows + unverifiedRows + separateRows)
    func table(row: SeparationRow) throws {
        let records = try row.registered.enumerated().map { index, system in
            try PrescribingRecord.make(of: system.identity, label: "desk \(index)")
        }
        let verdict = separationVerdict(
            of: row.device.identity, records: records, marker: row.marker,
            environment: row.device.environment)
        #expect(verdict.name == row.verdict)
        #expect(verdict.evidenceNames == row.evidence)
        #expect(verdict.reason == row.reason)
        #expect(verdict.advice == row.advice)
    }

    @Test("A marker is evidence, and what matches in its record is added")
    func marker() throws {
        let own = try PrescribingRecord.make(
            of: MadeUpSystem.laptop().identity, label: "front desk")
        let device = MadeUpSystem.laptop().rebooted().withoutRoot
        let verdict = separationVerdict(
            of: device.identity, records: [], marker: .record(own), environment: .init())
        #expect(
            verdict.evidenceNames == ["machine-id", "marker", "disk-serial", "root-uuid", "mac"])
        #expect(verdict.evidence?.label == "front desk")
        let copied = separationVerdict(
            of: otherLaptop.identity, records: [], marker: .record(own), environment: .init())
        #expect(copied.name == "same")
        #expect(copied.evidenceNames == ["marker"])
    }

    @Test(
        "Each identifier but the MAC makes a device the same by itself",
        arguments: IdentifierKind.allCases)
    func alone(kind: IdentifierKind) throws {
        let shared = Identifier(kind, [1, 2, 3, 4, 5, 6])
        let verdict = try judge(
            device: [shared],
            record: [shared, Identifier(.machineID, [9]), Identifier(.rootUUID, [9])])
        #expect(verdict.name == (kind == .macAddress ? "unverified" : "same"))
        #expect(verdict.evidence?.signs == [.identifier(kind)])
    }

    @Test("One hardware kind that differs doesn't make a clone, two do")
    func clones() throws {
        let device = [
            Identifier(.machineID, [1]), Identifier(.diskSerial, [2]), Identifier(.diskSerial, [3]),
            Identifier(.boardSerial, [4]),
        ]
        let oneKind = [Identifier(.machineID, [1]), Identifier(.diskSerial, [8])]
        #expect(try judge(device: device, record: oneKind).name == "same")
        let twoKinds = oneKind + [Identifier(.boardSerial, [8])]
        #expect(try judge(device: device, record: twoKinds).name == "unverified")
        let oneDisk = twoKinds + [Identifier(.diskSerial, [3])]
        #expect(try judge(device: device, record: oneDisk).name == "same")
    }

    @Test("A boot-id that differs proves nothing")
    func bootIDsDiffer() throws {
        let verdict = try judge(
            device: [Identifier(.bootID, [1]), Identifier(.machineID, [2])],
            record: [Identifier(.bootID, [3]), Identifier(.machineID, [4])])
        #expect(verdict == .unverified(.tooLittleInCommon(label: "x")))
    }

    @Test("MACs that differ don't count towards separation")
    func macsDiffer() throws {
        let verdict = try judge(
            device: [Identifier(.macAddress, [1]), Identifier(.machineID, [2])],
            record: [Identifier(.macAddress, [3]), Identifier(.machineID, [4])])
        #expect(verdict == .unverified(.tooLittleInCommon(label: "x")))
    }

    @Test(
        "Two kinds that differ are separate",
        arguments: [
            [IdentifierKind.machineID, .rootUUID], [.machineID, .diskSerial],
            [.productUUID, .boardSerial],
        ])
    func twoKindsDiffer(kinds: [IdentifierKind]) throws {
        let verdict = try judge(
            device: kinds.map { Identifier($0, [1]) }, record: kinds.map { Identifier($0, [2]) })
        #expect(verdict == .separate)
    }

    @Test("The same bytes under another kind don't match")
    func kindIsHashed() throws {
        let verdict = try judge(
            device: [Identifier(.productSerial, [1]), Identifier(.boardSerial, [2])],
            record: [Identifier(.productSerial, [2]), Identifier(.boardSerial, [1])])
        #expect(verdict == .separate)
    }

    @Test(
        "What surrounds the program never makes a match less",
        arguments: DeviceEnvironment.Finding.allCases)
    func environment(finding: DeviceEnvironment.Finding) throws {
        let shared = [Identifier(.machineID, [1]), Identifier(.rootUUID, [2])]
        let record = try PrescribingRecord.make(of: DeviceIdentity(shared), label: "")
        func verdict(_ identifiers: [Identifier]) throws -> SeparationVerdict {
            separationVerdict(
                of: DeviceIdentity(identifiers), records: [record], marker: .absent,
                environment: DeviceEnvironment([finding]))
        }
        #expect(try verdict(shared).name == "same")
        let differing = [Identifier(.machineID, [8]), Identifier(.rootUUID, [8])]
        #expect(try verdict(differing) == .unverified(.environment(finding)))
    }

    @Test("Where something matched, its removal is advised before anybody attests")
    func adviceBeforeAttesting() {
        let evidence = SeparationEvidence(label: "x", signs: [.identifier(.macAddress)])
        for reason in [UnverifiedReason.clonedImage(evidence), .networkCard(evidence)] {
            #expect(reason.adviceBeforeAttesting == reason.advice)
        }
        let others: [UnverifiedReason] = [
            .noRecord, .noIdentifiers, .environment(.container), .tooLittleInCommon(label: "x"),
        ]
        for reason in others { #expect(reason.adviceBeforeAttesting == nil) }
    }

    @Test("The more serious reason is named, whichever record it comes from")
    func seriousness() throws {
        let device = DeviceIdentity([
            Identifier(.machineID, [1]), Identifier(.productSerial, [2]),
            Identifier(.diskSerial, [3]), Identifier(.macAddress, [4]),
        ])
        let card = [Identifier(.machineID, [8]), Identifier(.macAddress, [4])]
        let image = [
            Identifier(.machineID, [1]), Identifier(.productSerial, [8]),
            Identifier(.diskSerial, [8]),
        ]
        let little = [Identifier(.machineID, [7])]
        let records = try [little, card, image].map {
            try PrescribingRecord.make(of: DeviceIdentity($0), label: "x")
        }
        for order in [records, records.reversed()] {
            let verdict = separationVerdict(
                of: device, records: order, marker: .absent, environment: .init())
            guard case .unverified(.clonedImage) = verdict else {
                Issue.record("\(verdict)")
                continue
            }
        }
        let withoutImage = separationVerdict(
            of: device, records: Array(records.prefix(2)), marker: .absent, environment: .init())
        guard case .unverified(.networkCard) = withoutImage else {
            Issue.record("\(withoutImage)")
            return
        }
    }

    private func judge(
        device: [Identifier], record: [Identifier]
    ) throws -> SeparationVerdict {
        try separationVerdict(
            of: DeviceIdentity(device),
            records: [PrescribingRecord.make(of: DeviceIdentity(record), label: "x")],
            marker: .absent, environment: .init())
    }
}
