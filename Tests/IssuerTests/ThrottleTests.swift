// RFC 4226 §7.3: how often somebody may try.
import Testing

@testable import softtoken_issuer

@Suite("Throttling") struct ThrottleTests {
    private func standing(_ tries: Int64, passed: Int64, limit: Int64 = 10) -> Throttle {
        Throttle(tries: tries, lastUnixSeconds: 1000, now: 1000 + passed, limit: limit)
    }

    @Test("Four tries are free, then the delay doubles")
    func doubling() {
        for tries in Int64(0)...4 { #expect(standing(tries, passed: 0) == .open) }
        for (tries, seconds) in zip(Int64(5)...9, [30, 60, 120, 240, 480] as [Int64]) {
            #expect(standing(tries, passed: 0) == .delayed(seconds: seconds))
            #expect(standing(tries, passed: seconds - 1) == .delayed(seconds: 1))
            #expect(standing(tries, passed: seconds) == .open)
        }
    }

    @Test("At the limit it is locked, however long it waits")
    func limit() {
        #expect(standing(10, passed: 1 << 40) == .locked)
        #expect(standing(3, passed: 0, limit: 3) == .locked)
        #expect(standing(2, passed: 0, limit: 3) == .open)
    }

    @Test("The delay ends at a day, and a clock that went back adds nothing")
    func extremes() {
        #expect(Throttle.delaySeconds(tries: .max) == 86_400)
        #expect(standing(5, passed: -5000) == .delayed(seconds: 30))
    }
}
