// DESIGN §4 and FORMAT.md §6 as tables: which copy counts, how many attempts are left, what is
// written before a try and after one that could not be made.
import Linux
import Testing

@testable import Keystore

private func record(
    _ generation: UInt64, _ count: Int, limit: Int = 10, vouched: Bool = false
) -> AttemptRecord {
    AttemptRecord(
        generation: generation, keystoreGeneration: 3, count: count, limit: limit,
        isVouched: vouched, now: boot(50))
}

private func head(_ generation: UInt64, of device: UInt8, failures: Int = 0) -> Vouched {
    Vouched(
        attempts: generation, keystore: 3,
        count: VouchedCount(deviceName: [device], failures: failures, limit: 10))
}

@Suite("Attempts: the two copies and what is left")
struct AttemptStandingTests {
    struct Row: Sendable {
        let what: String
        let state: AttemptCopy
        let data: AttemptCopy
        /// nil: no attempt is left.
        let left: Int?
        var isErasing = false
        var vouched: Vouched?
    }

    static let rows = [
        Row(what: "both missing", state: .missing, data: .missing, left: nil),
        Row(what: "both altered", state: .altered, data: .altered, left: nil),
        Row(what: "one of each", state: .missing, data: .altered, left: nil),
        Row(what: "state missing", state: .missing, data: .whole(record(5, 0)), left: 1),
        Row(what: "state altered", state: .altered, data: .whole(record(5, 3)), left: 1),
        Row(what: "data missing", state: .whole(record(5, 0)), data: .missing, left: 1),
        Row(what: "data altered", state: .whole(record(5, 9)), data: .altered, left: 1),
        Row(
            what: "both put back from before the log's head", state: .whole(record(5, 0)),
            data: .whole(record(5, 0)), left: 1, vouched: Vouched(attempts: 6, keystore: 3)),
        Row(
            what: "as the log's head says", state: .whole(record(5, 2)),
            data: .whole(record(5, 2)), left: 8, vouched: Vouched(attempts: 5, keystore: 3)),
        Row(
            what: "written beside a head that is gone", state: .whole(record(5, 0, vouched: true)),
            data: .whole(record(5, 0, vouched: true)), left: 1),
        Row(
            what: "written beside a head, and a new one vouches for nothing",
            state: .whole(record(5, 0, vouched: true)), data: .whole(record(5, 0, vouched: true)),
            left: 1, vouched: Vouched(attempts: 0, keystore: 0)),
        Row(
            what: "beside another keystore's log", state: .whole(record(5, 0, vouched: true)),
            data: .whole(record(5, 0, vouched: true)), left: nil, vouched: head(4, of: 2)),
        Row(
            what: "before heads vouched, beside another keystore's log",
            state: .whole(record(5, 0)),
            data: .whole(record(5, 0)), left: 10, vouched: head(4, of: 2)),
        Row(
            what: "put back, three used", state: .whole(record(5, 0, vouched: true)),
            data: .whole(record(5, 0, vouched: true)), left: 1, vouched: head(8, of: 1, failures: 3)
        ),
        Row(
            what: "put back, all used", state: .whole(record(5, 0, vouched: true)),
            data: .whole(record(5, 0, vouched: true)), left: 0, isErasing: true,
            vouched: head(15, of: 1, failures: 10)),
        Row(
            what: "the last one counted, and a right PIN after it",
            state: .whole(record(16, 0, vouched: true)), data: .whole(record(16, 0, vouched: true)),
            left: 10, vouched: head(15, of: 1, failures: 10)),
        Row(
            what: "what a right PIN left", state: .whole(record(16, 0)),
            data: .whole(record(16, 0)), left: 10, vouched: head(15, of: 1, failures: 4)),
        Row(
            what: "one copy put back", state: .whole(record(5, 0)), data: .whole(record(6, 1)),
            left: 9, vouched: Vouched(attempts: 6, keystore: 3)),
        Row(what: "equal", state: .whole(record(5, 0)), data: .whole(record(5, 0)), left: 10),
        Row(
            what: "equal, 9 used", state: .whole(record(5, 9)), data: .whole(record(5, 9)), left: 1),
        Row(
            what: "a crash between them", state: .whole(record(6, 4)), data: .whole(record(5, 3)),
            left: 6),
        Row(
            what: "an old state copy put back", state: .whole(record(1, 0)),
            data: .whole(record(8, 7)), left: 3),
        Row(
            what: "an old data copy put back", state: .whole(record(8, 7)),
            data: .whole(record(1, 0)), left: 3),
        Row(
            what: "one generation, another count", state: .whole(record(5, 0)),
            data: .whole(record(5, 1)), left: 1),
        Row(
            what: "one generation, another limit", state: .whole(record(5, 0, limit: 10)),
            data: .whole(record(5, 0, limit: 9)), left: 1),
        Row(
            what: "at the limit", state: .whole(record(5, 10)), data: .whole(record(5, 10)),
            left: 0, isErasing: true),
        Row(
            what: "at a lower limit", state: .whole(record(5, 3, limit: 3)), data: .missing,
            left: 0, isErasing: true),
        Row(
            what: "the newer one at its limit", state: .whole(record(6, 10)),
            data: .whole(record(5, 9)), left: 0, isErasing: true),
    ]

    @Test("The copies are judged as FORMAT.md §6 says", arguments: rows.indices)
    func judging(index: Int) {
        let row = AttemptStandingTests.rows[index]
        let standing = AttemptStanding(
            state: row.state, data: row.data, vouched: row.vouched, of: [1])
        #expect(standing?.attemptsLeft(policy: 10) == row.left, "\(row.what)")
        #expect(standing?.isErasing ?? false == row.isErasing, "\(row.what)")
    }

    @Test("A lowered limit leaves one attempt, and takes effect at the next wrong PIN")
    func loweredLimit() throws {
        for count in 0..<10 {
            let standing = try #require(whole(record(5, count)))
            for policy in 1...10 {
                #expect(!standing.isErasing)
                #expect(standing.attemptsLeft(policy: policy) == max(1, policy - count))
                let counted = standing.counted(policy: policy, now: boot(60))
                #expect(counted.count == count + 1)
                #expect(counted.limit == max(policy, count + 1))
            }
        }
    }

    @Test("A record needs a head from the first one on that vouches for a record")
    func vouchedFromTheFirstHead() throws {
        let former = try #require(
            AttemptStanding(
                state: .whole(record(5, 0)), data: .whole(record(5, 0)),
                vouched: Vouched(attempts: 0, keystore: 0), of: [1]))
        let counted = former.counted(policy: 10, now: boot(60))
        // A kill before the head: the former one is still there, and costs nothing more.
        let cut = AttemptStanding(
            state: .whole(counted), data: .whole(record(5, 0)), vouched: former.vouched, of: [1])
        #expect(cut?.attemptsLeft(policy: 10) == 9)
        let next = AttemptStanding(
            state: .whole(counted), data: .whole(counted), vouched: head(6, of: 1, failures: 1),
            of: [1])
        #expect(next?.counted(policy: 10, now: boot(60)).isVouched == true)
    }

    @Test("A lost log leaves one attempt until one was counted, and is no record put back")
    func lostLog() throws {
        func standing(_ generation: UInt64, _ vouched: Vouched) throws -> AttemptStanding {
            let copy = AttemptCopy.whole(record(generation, 0))
            return try #require(
                AttemptStanding(state: copy, data: copy, vouched: vouched, of: [1]))
        }
        let lost = head(5, of: 1, failures: 0).withoutLog
        // Of the head's, of one that a right PIN has left behind it, and one that was put back.
        for generation in [5, 7, 3] as [UInt64] {
            let found = try standing(generation, lost)
            #expect(found.isLogLost)
            #expect(found.isRecordAltered == (generation < 5))
            #expect(found.isOlder(keystoreGeneration: 7) == (generation < 5))
            #expect(found.attemptsLeft(policy: 10) == 1)
            let counted = found.counted(policy: 10, now: boot(60))
            let next = try standing(
                counted.generation, Vouched(counted, of: [1], keystore: 7))
            #expect(!next.isCopyLost)
        }
        // An erasure goes on, whatever became of the log.
        let erasing = head(5, of: 1, failures: 10).withoutLog
        #expect(try standing(4, erasing).isErasing)
        #expect(try !standing(6, erasing).isErasing)
    }

    @Test("A raised limit waits for a right PIN")
    func raisedLimit() throws {
        let standing = try #require(whole(record(5, 2, limit: 3)))
        #expect(standing.attemptsLeft(policy: 10) == 1)
        let reset = standing.record.reset(
            keystoreGeneration: 3, limit: 10, now: boot(60))
        #expect(reset.count == 0 && reset.limit == 10 && reset.generation == 6)
    }

    @Test("A lost copy is counted as the last attempt, on both copies")
    func lostCopy() throws {
        for count in 0..<10 {
            let standing = try #require(
                AttemptStanding(state: .missing, data: .whole(record(5, count)), of: [1]))
            let counted = standing.counted(policy: 10, now: boot(60))
            #expect(counted.count == 10 && counted.limit == 10 && counted.generation == 6)
            #expect(try #require(whole(counted)).isErasing)
        }
    }

    @Test("Nothing that is written is kinder than what stood before")
    func neverKinder() throws {
        for limit in 1...10 {
            for count in 0..<limit {
                for policy in 1...10 {
                    for isLost in [false, true] {
                        let copy = AttemptCopy.whole(record(5, count, limit: limit))
                        let standing = try #require(
                            AttemptStanding(state: copy, data: isLost ? .missing : copy, of: [1]))
                        checkNeverKinder(standing, policy: policy)
                    }
                }
            }
        }
    }

    private func checkNeverKinder(_ standing: AttemptStanding, policy: Int) {
        let before = standing.attemptsLeft(policy: policy)
        let now = boot(60)
        let counted = standing.counted(policy: policy, now: now)
        #expect(left(counted, policy) == before - 1)
        #expect(counted.generation == standing.record.generation + 1)
        let takenBack = standing.takenBack(after: counted, now: now)
        #expect(left(takenBack, policy) <= before && left(takenBack, policy) >= 1)
        #expect(takenBack.generation > counted.generation)
        let delayed = standing.delayedAnew(policy: policy, now: now)
        #expect(left(delayed, policy) <= before && left(delayed, policy) >= 1)
        #expect(delayed.generation == standing.record.generation + 1)
        if delayed.count >= 5 { #expect(delayed.delayStart == now) }
        let reset = standing.ofReset(now: now)
        #expect(left(reset, policy) == 0 && reset.generation > standing.record.generation)
    }

    @Test("A count that is taken back keeps the start of its delay")
    func takenBackKeepsTheDelay() throws {
        let standing = try #require(whole(record(5, 7)))
        let counted = standing.counted(policy: 10, now: boot(600))
        let takenBack = standing.takenBack(after: counted, now: boot(600))
        #expect(takenBack.count == 7 && takenBack.delayStart == boot(50))
    }

    private func whole(_ record: AttemptRecord) -> AttemptStanding? {
        AttemptStanding(state: .whole(record), data: .whole(record), of: [1])
    }

    private func left(_ record: AttemptRecord, _ policy: Int) -> Int {
        whole(record)?.attemptsLeft(policy: policy) ?? 0
    }
}

@Suite("Delays run on boot time")
struct DelayTests {
    @Test("30 s from the fifth failure, doubling")
    func seconds() {
        #expect(
            (0...10).map(AttemptRecord.delaySeconds)
                == [0, 0, 0, 0, 0, 30, 60, 120, 240, 480, 960])
    }

    struct Row: Sendable {
        let what: String
        let count: Int
        let now: BootTime
        let delay: Delay
    }

    /// The delay began 1,000 s after boot 1, in a time namespace without an offset.
    static let rows = [
        Row(what: "four failures", count: 4, now: boot(1_000), delay: .over),
        Row(what: "at once", count: 5, now: boot(1_000), delay: .remaining(seconds: 30)),
        Row(what: "a second before", count: 5, now: boot(1_029), delay: .remaining(seconds: 1)),
        Row(
            what: "a nanosecond before", count: 5,
            now: BootTime(bootID: boot(0).bootID, nanoseconds: 1_029_999_999_999),
            delay: .remaining(seconds: 1)),
        Row(what: "just over", count: 5, now: boot(1_030), delay: .over),
        Row(what: "nine failures", count: 9, now: boot(1_479), delay: .remaining(seconds: 1)),
        Row(what: "nine failures, over", count: 9, now: boot(1_480), delay: .over),
        Row(what: "suspended for a day", count: 9, now: boot(87_400), delay: .over),
        Row(
            what: "boot time lower in one boot", count: 6, now: boot(999),
            delay: .restart(seconds: 60)),
        Row(what: "rebooted", count: 6, now: boot(0, id: 2), delay: .remaining(seconds: 60)),
        Row(
            what: "rebooted, 59 s ago", count: 6, now: boot(59, id: 2),
            delay: .remaining(seconds: 1)),
        Row(what: "rebooted, 60 s ago", count: 6, now: boot(60, id: 2), delay: .over),
        Row(
            what: "another time namespace, ahead", count: 6,
            now: boot(900_000, offset: 899_000_000_000_000), delay: .restart(seconds: 60)),
        Row(
            what: "another time namespace, behind", count: 6, now: boot(1_100, offset: -1),
            delay: .restart(seconds: 60)),
        Row(
            what: "another namespace after a reboot", count: 6,
            now: boot(900_000, id: 2, offset: 5),
            delay: .restart(seconds: 60)),
        Row(
            what: "the highest boot time", count: 6,
            now: BootTime(bootID: boot(0).bootID, nanoseconds: .max), delay: .over),
    ]

    @Test("A delay is judged by boot, boot time and offset", arguments: rows.indices)
    func judging(index: Int) {
        let row = DelayTests.rows[index]
        let record = AttemptRecord(
            generation: 1, keystoreGeneration: 1, count: row.count, limit: 10, now: boot(1_000))
        #expect(record.delay(now: row.now) == row.delay, "\(row.what)")
    }

    @Test("A delay that began in a namespace goes on in that one")
    func sameNamespace() {
        let record = AttemptRecord(
            generation: 1, keystoreGeneration: 1, count: 5, limit: 10, now: boot(10, offset: 7))
        #expect(record.delay(now: boot(39, offset: 7)) == .remaining(seconds: 1))
        #expect(record.delay(now: boot(40, offset: 7)) == .over)
        #expect(record.delay(now: boot(40)) == .restart(seconds: 30))
    }
    @Test("In a user namespace another boot_id ends no delay, there or outside of it")
    func madeUpBoot() throws {
        func inside(_ seconds: UInt64, id: UInt8) -> BootTime {
            let boot = boot(seconds, id: id)
            return BootTime(
                bootID: boot.bootID, nanoseconds: boot.nanoseconds, isBootIDBelieved: false)
        }
        func failed(at now: BootTime) -> AttemptRecord {
            AttemptRecord(generation: 5, keystoreGeneration: 3, count: 5, limit: 10, now: now)
        }
        let record = failed(at: boot(1_000))
        // The real boot_id, as an honest container shows it.
        #expect(record.delay(now: inside(1_010, id: 1)) == .remaining(seconds: 20))
        #expect(record.delay(now: inside(1_030, id: 1)) == .over)
        #expect(record.delay(now: inside(1_010, id: 2)) == .restart(seconds: 30))
        #expect(record.delay(now: inside(90_000, id: 2)) == .restart(seconds: 30))
        // What was begun in there, under any boot_id, is waited out here and there.
        let begun = failed(at: inside(1_000, id: 2))
        for now in [boot(1_010), inside(1_010, id: 2), inside(1_010, id: 3)] {
            #expect(begun.delay(now: now) == .remaining(seconds: 20))
        }
        for now in [boot(1_030), inside(1_030, id: 3)] { #expect(begun.delay(now: now) == .over) }
        #expect(begun.delay(now: boot(999)) == .restart(seconds: 30))
        let key = MACKey(try SecureBytes(randomCount: 32))
        let name = [UInt8](repeating: 3, count: 16)
        let file = begun.encoded(deviceName: name, key: key)
        let copy = AttemptRecord(file, deviceName: name, key: key)
        #expect(copy == begun)
    }
}
