// The counted PIN on a software TPM: what opens, what closes, what is left behind, and what somebody on
// the wire can do. Tests/System/TPM/proof.sh attacks the same design from outside. Bound by DESIGN §5.
import Testing

@testable import Keystore
@testable import Linux

@Suite("A counted PIN on a software TPM", .serialized)
struct ChipTests {
    let software: SoftwareChip
    let right: [UInt8] = (0..<32).map { UInt8($0) }
    let wrong: [UInt8] = (0..<32).map { UInt8($0 + 1) }
    let share: [UInt8] = (0..<32).map { UInt8($0 * 3) }
    let handle: UInt32 = 0x0180_0020

    init() throws { software = try SoftwareChip() }

    private func pair() throws -> CountedPair {
        try CountedPair(handle: handle, share: try secret(share))
    }

    private func secret(_ bytes: [UInt8]) throws -> SecureBytes {
        try guardedBytes(bytes)
    }

    private func make(tries: Int = 10) throws {
        try software.open().make(
            try pair(), share: try secret(share), pinKey: try secret(right), tries: tries)
    }

    /// The share's bytes, or why there are none.
    private func open(_ key: [UInt8], tries: Int = 10) throws -> Result<[UInt8], ChipFault> {
        let chip = try software.open()
        let (pair, key) = (try pair(), key)
        do throws(ChipFault) {
            let key = try inGuardedMemory { () throws(KeystoreError) in
                try guardedBytes(key)
            }
            return .success(publicBytes(try chip.open(pair, pinKey: key, tries: tries)))
        } catch { return .failure(error) }
    }

    @Test("The probe says that this chip counts, and leaves nothing")
    func probe() throws {
        try checkCounting(at: handle)
        #expect(try isGone())
    }

    @Test(
        "Ten wrong PINs close the gate, through power cuts, and the right one before sets them back"
    )
    func counting() throws {
        try make()
        for _ in 0..<9 { #expect(try open(wrong) == .failure(.wrongPIN)) }
        #expect(try open(right) == .success(share))
        for _ in 0..<4 { #expect(try open(wrong) == .failure(.wrongPIN)) }
        try software.cutPower()
        for _ in 0..<6 { #expect(try open(wrong) == .failure(.wrongPIN)) }
        #expect(try open(right) == .failure(.closed))
        try software.cutPower()
        #expect(try open(right) == .failure(.closed))
        #expect(try open(wrong) == .failure(.closed))
    }

    @Test("A stricter limit holds from the next arming")
    func stricterLimit() throws {
        try make()
        #expect(try open(right, tries: 3) == .success(share))
        for _ in 0..<3 { #expect(try open(wrong) == .failure(.wrongPIN)) }
        #expect(try open(right) == .failure(.closed))
    }

    @Test("An erased pair is gone, and another's at the same handle is left alone")
    func erasing() throws {
        try make()
        try erase(try CountedPair(handle: handle, share: try secret(wrong)))
        #expect(try open(right) == .success(share))
        try erase(try pair())
        #expect(try isGone())
        try erase(try pair())
    }

    @Test("A pair that was cut in the making is erased, too", arguments: [1, 2, 3])
    func cutCreation(commands: Int) throws {
        // Primary, two sessions; then SHARE defined, SHARE written, GATE defined.
        let cut = CountingWire(to: try software.connection(), commands: 3 + commands)
        expectFault(.notTheChips) { () throws(ChipFault) in
            try makeCut(cut)
        }
        try software.cutPower()
        #expect(try !isGone())
        try erase(try pair())
        #expect(try isGone())
    }

    private func makeCut(_ wire: CountingWire) throws(ChipFault) {
        let chip = try CountingChip(wire.chip())
        do {
            try chip.make(
                try pair(), share: try secret(share), pinKey: try secret(right), tries: 10)
        } catch let fault as ChipFault { throw fault } catch { throw .busy }
    }

    @Test("Somebody on the wire who alters an answer is found out, and opens nothing")
    func alteredAnswers() throws {
        try make()
        // Primary, two sessions, then GATE read (4), SHARE read (5), PolicyNV (6), GATE written (7).
        for (command, fault) in [
            (4, ChipFault.notTheChips), (5, .notTheChips), (6, .notArmed), (7, .notArmed),
        ] {
            let wire = CountingWire(to: try software.connection(), altersAnswer: command)
            expectFault(fault) { () throws(ChipFault) in try openAltered(wire) }
            try software.cutPower()
        }
        // What was not armed stands open until the next right PIN, which arms it.
        #expect(try open(right) == .success(share))
        for _ in 0..<10 { #expect(try open(wrong) == .failure(.wrongPIN)) }
        #expect(try open(right) == .failure(.closed))
    }

    private func openAltered(_ wire: CountingWire) throws(ChipFault) {
        let chip = try CountingChip(wire.chip())
        do {
            _ = try chip.open(try pair(), pinKey: try secret(right), tries: 10)
        } catch let fault as ChipFault { throw fault } catch { throw .busy }
    }

    private func checkCounting(at handle: UInt32) throws {
        let share = try secret(share)
        try software.open().checkCounting(
            try CountedPair(handle: handle, share: share), share: share)
    }

    private func erase(_ pair: CountedPair) throws { try software.open().erase(pair) }

    private func isGone() throws -> Bool {
        let chip = try software.open()
        for index in [handle, handle + 1] where try chip.name(at: index) != nil { return false }
        return true
    }

    @Test("What stands at the handle already is told, and stays")
    func alreadyDefined() throws {
        try make()
        expectFault(.answered(.alreadyDefined)) { () throws(ChipFault) in
            try makeAgain()
        }
        #expect(try open(right) == .success(share))
    }

    private func makeAgain() throws(ChipFault) {
        do { try make() } catch let fault as ChipFault { throw fault } catch { throw .busy }
    }

    @Test("Nobody is left in the chip after an opening, a wrong PIN, a probe")
    func nothingLeft() throws {
        try make()
        // swtpm holds three sessions and three objects: what was left would fail the fourth.
        for _ in 0..<8 {
            #expect(try open(wrong) == .failure(.wrongPIN))
            #expect(try open(right) == .success(share))
        }
        try checkCounting(at: handle + 2)
    }

    @Test(
        "A chip that is asked again gets the same bytes, and one that is busy for two seconds is told"
    )
    func busy() throws {
        let wire = try PairedWire(answers: [
            [0x80, 1, 0, 0, 0, 10, 0, 0, 9, 0x22], [0x80, 1, 0, 0, 0, 10, 0, 0, 9, 0x08],
            [0x80, 1, 0, 0, 0, 10, 0, 0, 0, 0],
        ])
        _ = try wire.chip().exchange(ChipCommand.flushBytes(7))
        let command = ChipCommand.flushBytes(7)
        for _ in 0..<3 { #expect(wire.received(100) == command) }
        let tired = try PairedWire(
            answers: [[UInt8]](repeating: [0x80, 1, 0, 0, 0, 10, 0, 0, 9, 0x22], count: 41))
        expectFault(.busy) { () throws(ChipFault) in
            _ = try tired.chip().exchange(ChipCommand.flushBytes(7))
        }
    }

    @Test("An answer that comes in pieces is whole, and one that breaks off is no answer")
    func pieces() throws {
        let whole = try PairedWire(answers: [[0x80, 1, 0], [0, 0, 10, 0, 0], [0, 0]])
        _ = try whole.chip().exchange(ChipCommand.flushBytes(7))
        let cut = try PairedWire(answers: [[0x80, 1, 0, 0, 0, 10]])
        cut.end()
        expectFault(.notTheChips) { () throws(ChipFault) in
            _ = try cut.chip().exchange(ChipCommand.flushBytes(7))
        }
    }
}

/// Expects one fault.
func expectFault(_ fault: ChipFault, _ body: () throws(ChipFault) -> Void) {
    do throws(ChipFault) {
        try body()
        Issue.record("no fault where \(fault) was expected")
    } catch { #expect(error == fault) }
}
