// What a verifier accepts and remembers: RFC 4226 §7, RFC 6238 §5.2 and §6.
import Keystore
import OTP
import Testing

@testable import softtoken_issuer

@Suite("OTP check")
struct OTPCheckTests {
    /// The OTP of a moving factor, as digits of the factor itself: 000017 is 17's.
    private func code(_ factor: Int64) -> [UInt8] {
        DigitCount(6)!.digits(of: UInt32(factor))
    }

    private func codes(_ first: UInt64, _ count: Int) -> [[UInt8]] {
        (0..<count).map { code(Int64(first) + Int64($0)) }
    }

    private func state(_ factor: MovingFactor) -> VerifierState {
        VerifierState(parameters: parameters(factor))
    }

    private func verdict(
        _ factors: [Int64], _ state: VerifierState, at seconds: Int64 = 0
    ) -> OTPVerdict {
        check(
            factors.map(code), state: state, at: seconds,
            window: .standard(state.parameters.factor), codes: codes)
    }

    @Test("The hint after a miss fits what moves the token, and who can look at its clock")
    func hints() {
        let words = [
            (MovingFactor.counter(0), true, "button"), (.counter(0), false, "softtoken show"),
            (.time(stepSeconds: 30), true, "drifted"), (.time(stepSeconds: 30), false, "clocks"),
        ]
        for (factor, isHard, word) in words {
            #expect(hintAfterMiss(factor, isHard: isHard).contains(word))
        }
    }

    @Test("A counter's window reaches ten ahead", arguments: 0...11)
    func lookAhead(ahead: Int64) {
        var next = state(.counter(100))
        next.parameters.factor = .counter(UInt64(101 + ahead))
        let expected: OTPVerdict = ahead <= 10 ? .accepted(next, moved: ahead) : .notFound
        #expect(verdict([100 + ahead], state(.counter(100))) == expected)
    }

    @Test("An OTP is accepted once, and so is what was skipped")
    func onceOnly() {
        guard case .accepted(let next, _) = verdict([7], state(.counter(5))) else {
            Issue.record("7 is within reach of 5")
            return
        }
        for used in Int64(5)...7 { #expect(verdict([used], next) == .usedAlready) }
        #expect(verdict([8], next) != .usedAlready)
    }

    @Test("Two in a row reach far; two that aren't in a row don't")
    func resynchronisation() {
        var next = state(.counter(0))
        next.parameters.factor = .counter(902)
        #expect(verdict([900, 901], state(.counter(0))) == .accepted(next, moved: 900))
        #expect(verdict([900, 902], state(.counter(0))) == .notFound)
        #expect(verdict([901, 900], state(.counter(0))) == .notFound)
        #expect(verdict([1001, 1002], state(.counter(0))) == .notFound)
        #expect(verdict([3, 4], state(.counter(500))) == .usedAlready)
    }

    @Test("One time step to each side is accepted, and the drift is remembered", arguments: -2...2)
    func drift(offset: Int64) {
        var next = state(.time(stepSeconds: 30))
        next.lastStep = 1000 + offset
        next.driftSteps = offset
        let expected: OTPVerdict = abs(offset) <= 1 ? .accepted(next, moved: offset) : .notFound
        #expect(verdict([1000 + offset], state(.time(stepSeconds: 30)), at: 30_010) == expected)
    }

    @Test("The window lies around the remembered drift")
    func rememberedDrift() {
        var slow = state(.time(stepSeconds: 30))
        slow.driftSteps = -5
        #expect(verdict([1000], slow, at: 30_000) == .notFound)
        guard case .accepted(let next, let moved) = verdict([994], slow, at: 30_000) else {
            Issue.record("994 is one step from 995")
            return
        }
        #expect(moved == -1)
        #expect(next.driftSteps == -6)
    }

    @Test("A time step is accepted once, and none before it after it")
    func timeOnceOnly() {
        var used = state(.time(stepSeconds: 30))
        used.lastStep = 1000
        #expect(verdict([1000], used, at: 30_000) == .usedAlready)
        #expect(verdict([999], used, at: 30_000) == .usedAlready)
        guard case .accepted = verdict([1001], used, at: 30_000) else {
            Issue.record("1001 is fresh")
            return
        }
    }

    @Test("Two time steps in a row bring a clock back that is far off")
    func timeResynchronisation() {
        var next = state(.time(stepSeconds: 30))
        next.lastStep = 1060
        next.driftSteps = 60
        #expect(
            verdict([1059, 1060], state(.time(stepSeconds: 30)), at: 30_000)
                == .accepted(next, moved: 60))
        #expect(verdict([1059, 1061], state(.time(stepSeconds: 30)), at: 30_000) == .notFound)
        #expect(verdict([1101, 1102], state(.time(stepSeconds: 30)), at: 30_000) == .notFound)
    }

    @Test("Of several that are the OTP the nearest is meant")
    func nearest() {
        for factor in [MovingFactor.counter(50), .time(stepSeconds: 30)] {
            let state = state(factor)
            let verdict = check(
                [[1]], state: state, at: 1500, window: OTPWindow(single: 5, pair: 5),
                codes: { _, count in Array(repeating: [1], count: count) })
            guard case .accepted(_, 0) = verdict else {
                Issue.record("\(verdict)")
                continue
            }
        }
    }

    @Test("The first steps after 1970 have nothing before them")
    func beginning() {
        guard case .accepted = verdict([0], state(.time(stepSeconds: 30)), at: 0) else {
            Issue.record("step 0 is now")
            return
        }
        var slow = state(.time(stepSeconds: 30))
        slow.driftSteps = -9
        #expect(verdict([0], slow, at: 0) == .notFound)
    }

    /// RFC 4226 Appendix D.
    @Test("The table of RFC 4226 is accepted in order and in no other")
    func appendixD() throws {
        let table = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583",
            "399871", "520489",
        ]
        let folder = try Folder()
        let path = try folder.file("r.xml", container())
        for (counter, otp) in table.enumerated() {
            let session = try openToken(path, .serial("S1"), secret: nil, at: 0)
            let verdict = try session.verdict(
                OTPAttempt(
                    otps: [Array(otp.utf8)], window: 0, unixSeconds: 0, account: nil, limit: 10))
            guard case .accepted(_, 0) = verdict else {
                Issue.record("\(otp) is the OTP of \(counter)")
                return
            }
        }
        #expect(try folder.text("r.xml").contains("<Counter><PlainValue>10</PlainValue></Counter>"))
    }
}
