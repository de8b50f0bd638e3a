// What the display shows at each moment of a session. Binds DESIGN §8: roll-over, the announced
// OTP, pending, the session's end, a wall clock that moved.
import Linux
import OTP
import Testing

@testable import Keystore
@testable import SoftTokenCore

@Suite("The display session")
struct DisplaySessionTests {
    /// Second 12 of the step that began at 1,000,000,020; the next rolls over at …050.
    static let start = reading(wall: 1_000_000_032, boot: 500)

    @Test(
        "The OTP, the seconds left and the next roll-over follow the wall clock",
        arguments: [
            // seconds into the session, OTP, seconds left, announced
            (0, "111111", 18, nil), (12, "111111", 6, nil), (13, "111111", 5, nil),
            (14, "111111", 4, "222222"), (17, "111111", 1, "222222"), (18, "222222", 30, nil),
            (47, "222222", 1, "333333"), (48, "333333", 30, nil),
        ] as [(Int, String, Int, String?)])
    func rolls(second: Int, otp: String, left: Int, next: String?) throws {
        let showing = try showing(session(), second: second)
        #expect(showing.otp.digits == otp)
        #expect(showing.rolling?.secondsLeft == left)
        #expect(showing.rolling?.next == next)
        #expect(showing.rolling?.stepSeconds == 30)
        #expect(showing.rolling?.rollsOverAtUnixSeconds == 1_000_000_032 + Int64(second + left))
        #expect(showing.endsAtUnixSeconds == 1_000_000_132)
    }

    @Test("An OTP that the session doesn't live to see is not announced")
    func announcesNothingBeyondTheEnd() throws {
        #expect(try showing(session(seconds: 18), second: 17).rolling?.next == nil)
        #expect(try showing(session(seconds: 19), second: 17).rolling?.next != nil)
    }

    @Test("The last OTP at hand announces none, and after it the display ends")
    func endsWithoutOTPs() throws {
        #expect(try showing(session(seconds: 900), second: 77).rolling?.next == nil)
        let session = try session(seconds: 900)
        #expect(session.frame(at: Self.after(78)) == .ended(.noneLeft))
    }

    @Test("The session ends by boot time", arguments: [(99, false), (100, true), (5000, true)])
    func endsByItself(second: Int, isOver: Bool) throws {
        let session = try session(otps: (0..<64).map { UInt32(100_000 + $0) })
        let frame = session.frame(at: Self.after(second))
        #expect((frame == .ended(.sessionOver)) == isOver)
    }

    @Test(
        "A wall clock that moves by more than 2 s ends it and says by how much",
        arguments: [(2000, nil), (-2000, nil), (2001, 2), (-2001, -2), (3_600_000, 3600)]
            as [(Int, Int?)])
    func endsWhenTheClockMoves(milliseconds: Int, seconds: Int?) throws {
        let session = try session()
        let now = reading(
            wall: 1_000_000_037, boot: 505, wallMilliseconds: milliseconds)
        let frame = session.frame(at: now)
        guard let seconds else {
            if case .ended = frame { Issue.record("it ended") }
            return
        }
        #expect(frame == .ended(.clockMoved(seconds: seconds)))
    }

    @Test("Suspend counts: after it the session is over, not shown")
    func countsSuspend() throws {
        let session = try session()
        let now = reading(wall: 1_000_000_032 + 7200, boot: 500 + 7200)
        #expect(session.frame(at: now) == .ended(.sessionOver))
    }

    @Test("Boot time that runs backwards ends it")
    func refusesEarlierBootTime() throws {
        let session = try session()
        let now = reading(wall: 1_000_000_031, boot: 499)
        #expect(session.frame(at: now) == .ended(.clockMoved(seconds: 0)))
    }

    @Test("Pending is shown until it has passed", arguments: [(0, true), (9, true), (10, false)])
    func showsPending(second: Int, isPending: Bool) throws {
        let showing = try showing(session(pending: 1_000_000_042), second: second)
        #expect((showing.pendingUntilUnixSeconds != nil) == isPending)
    }

    @Test("HOTP shows its one OTP until the end, and nothing rolls over")
    func showsSingle() throws {
        let session = try DisplaySession(
            of: token(pending: nil), count: 1, sequence: .single(counter: 0), start: Self.start,
            seconds: 100, clock: atTheStart
        ) { take in take(0, 1_284_755_224) }
        for second in [0, 50, 99] {
            guard case .showing(let showing) = session.frame(at: Self.after(second)) else {
                Issue.record("second \(second)")
                continue
            }
            #expect(showing.otp.digits == "755224" && showing.rolling == nil)
        }
        #expect(session.frame(at: Self.after(100)) == .ended(.sessionOver))
    }

    @Test("A clock that goes back over the beginning by a second goes on showing the first OTP")
    func backOverTheBeginning() throws {
        let start = reading(wall: 1_000_000_050, boot: 500)
        let session = try DisplaySession(
            of: token(pending: nil), count: 1,
            sequence: .steps(first: TimeStep(at: 1_000_000_050, seconds: 30)), start: start,
            seconds: 100, clock: atTheStart
        ) { take in take(0, 111_111) }
        guard
            case .showing(let showing) = session.frame(at: reading(wall: 1_000_000_049, boot: 500))
        else { throw Ended() }
        #expect(showing.otp.digits == "111111" && showing.rolling?.secondsLeft == 30)
    }

    static func after(_ seconds: Int) -> ClockReading {
        reading(wall: 1_000_000_032 + seconds, boot: 500 + seconds)
    }
}

private func reading(wall: Int, boot: Int, wallMilliseconds: Int = 0) -> ClockReading {
    let nanoseconds = wall * 1_000_000_000 + wallMilliseconds * 1_000_000
    return ClockReading(
        unixSeconds: Int64(nanoseconds / 1_000_000_000),
        unixNanoseconds: Int64(nanoseconds % 1_000_000_000),
        boot: BootTime(
            bootID: [UInt8](repeating: 7, count: 16), nanoseconds: UInt64(boot) * 1_000_000_000),
        isSynchronized: true)
}

private func token(pending: Int64?) -> Token {
    Token(
        TokenMetadata(
            id: 1, slot: 0, name: "Clinic", issuer: nil, account: nil, serial: nil,
            parameters: TokenParameters(
                algorithm: .sha1, digits: DigitCount(6)!, factor: .time(stepSeconds: 30)),
            activatedUnixSeconds: 0, pendingUntilUnixSeconds: pending, expiresUnixSeconds: nil,
            origin: .unsigned, warnings: [], policy: TokenPolicy()))
}

/// Three OTPs from the step of the start on: 18 s of the first, 30 of each other.
private func session(
    otps: [UInt32] = [111_111, 222_222, 333_333], seconds: Int = 100, pending: Int64? = nil
) throws -> DisplaySession {
    try DisplaySession(
        of: token(pending: pending), count: otps.count,
        sequence: .steps(first: TimeStep(at: 1_000_000_032, seconds: 30)),
        start: DisplaySessionTests.start, seconds: seconds,
        clock: atTheStart
    ) { take in
        for (index, otp) in otps.enumerated() { take(index, otp) }
    }
}

private func showing(
    _ session: borrowing DisplaySession, second: Int
) throws -> DisplayFrame.Showing {
    guard case .showing(let showing) = session.frame(at: DisplaySessionTests.after(second)) else {
        throw Ended()
    }
    return showing
}

private struct Ended: Error {}

@Sendable private func atTheStart() throws(SystemError) -> ClockReading {
    DisplaySessionTests.start
}
