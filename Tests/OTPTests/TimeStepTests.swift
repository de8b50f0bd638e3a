// RFC 6238 §4.2: T = (Unix time - T0) / X with T0 = 0.
import Testing

@testable import OTP

@Suite("RFC 6238 §4.2: time steps")
struct TimeStepTests {
    /// RFC 6238 Appendix B: the time and the value of T.
    @Test(
        "Appendix B's values of T",
        arguments: [
            (59, 0x1), (1_111_111_109, 0x235_23EC), (1_111_111_111, 0x235_23ED),
            (1_234_567_890, 0x273_EF07), (2_000_000_000, 0x3F9_40AA), (20_000_000_000, 0x27BC_86AA),
        ] as [(Int64, UInt64)])
    func appendixB(unixSeconds: Int64, number: UInt64) {
        #expect(TimeStep(at: unixSeconds, seconds: 30).number == number)
    }

    @Test("A step begins with its first second and ends before the next", arguments: [1, 30, 300])
    func edges(seconds: Int) {
        let step = TimeStep(number: 41, seconds: seconds)
        #expect(step.endUnixSeconds - step.startUnixSeconds == Int64(seconds))
        #expect(TimeStep(at: step.startUnixSeconds, seconds: seconds) == step)
        #expect(TimeStep(at: step.endUnixSeconds - 1, seconds: seconds) == step)
        #expect(TimeStep(at: step.endUnixSeconds, seconds: seconds).number == 42)
        #expect(TimeStep(at: step.startUnixSeconds - 1, seconds: seconds).number == 40)
    }

    @Test("A clock before 1970 is in step 0", arguments: [Int64.min, -31, -1, 0, 29])
    func beforeTheEpoch(unixSeconds: Int64) {
        #expect(TimeStep(at: unixSeconds, seconds: 30).number == 0)
    }

    @Test("Algorithms name themselves as JSON does, with FIPS 180-4's lengths")
    func algorithms() {
        #expect(HashAlgorithm.allCases.map(\.name) == ["SHA1", "SHA256", "SHA512"])
        #expect(HashAlgorithm.allCases.map(\.macByteCount) == [20, 32, 64])
        #expect(HashAlgorithm.allCases.map(\.rawValue) == [1, 2, 3])
    }
}
