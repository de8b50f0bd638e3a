// Links of a run that are made on all cores and come out in the order in which they went in. Memory is
// bounded: a queue holds so many orders, and each core the memory of one activation code. Bound by
// RECORDS.md §5.
import Activation
import Keystore
import Linux
import Synchronization

/// An order with its seed, and what became of it.
final class LinkJob: Sendable {
    let order: TokenOrder
    let seed: Seed
    /// The line or the serial that a problem is told of.
    let place: String
    private let result = Mutex<Result<MadeLink, ActivationError>?>(nil)

    init(_ order: TokenOrder, seed: consuming Seed, place: String) {
        self.order = order
        self.seed = seed
        self.place = place
    }

    func make(_ maker: LinkMaker, at unixSeconds: Int64) {
        let made = Result { () throws(ActivationError) in
            try maker.link(order, seed: seed, at: unixSeconds)
        }
        result.withLock { $0 = made }
    }

    /// - Throws: `ActivationError`: why there is no link.
    func link() throws(ActivationError) -> MadeLink {
        guard let made = result.withLock({ $0 }) else { preconditionFailure("it was made") }
        return try made.get()
    }
}

/// Orders that wait for each other.
struct LinkQueue: ~Copyable {
    /// A code costs 0.1 s, a request 0.3 ms: so many for each core that the threads' own cost, and the
    /// wait for the slowest, are small.
    private static let codesPerCore = 4
    private static let most = 256

    private let makers: [LinkMaker]
    private var jobs: [LinkJob] = []
    private var codeCount = 0

    /// A signing key can be open for one thread alone: each has its own copy.
    init(_ maker: LinkMaker) throws(Failure) {
        var makers: [LinkMaker] = []
        for _ in 0..<Workers.count { makers.append(try maker.copy()) }
        self.makers = makers
    }

    var isFull: Bool {
        codeCount >= makers.count * LinkQueue.codesPerCore || jobs.count >= LinkQueue.most
    }

    mutating func add(_ job: LinkJob) {
        jobs.append(job)
        if case .code = job.order.lock { codeCount += 1 }
    }

    /// Makes what waits, and gives it back in its order.
    mutating func make(at unixSeconds: Int64) -> [LinkJob] {
        let (jobs, makers) = (self.jobs, self.makers)
        self.jobs = []
        codeCount = 0
        Workers.run(min(makers.count, jobs.count)) { number in
            for index in stride(from: number, to: jobs.count, by: makers.count) {
                jobs[index].make(makers[number], at: unixSeconds)
            }
        }
        return jobs
    }
}
