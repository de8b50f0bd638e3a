// A run that makes many links: what goes wrong with one of them is told, and the others are made.
// Bound by CONTRACT §6.
import Activation
import Keystore
import Linux
import OTP
import ProgramSupport
import SoftTokenCore

/// Why a row, or a key of a PSKC file, is not made into a link; the run goes on unless `failure` says
/// otherwise.
struct RowProblem: Error {
    let message: String
    init(_ message: String) { self.message = message }
}

/// Many links on their way, with what was rejected.
struct BulkRun: ~Copyable {
    var files: BulkOutput
    let source: String
    var progress = ProgressBar()
    private var queue: LinkQueue
    private let issuer: String
    private let clock: IssueClock
    private let signals: SignalQueue?
    private var rejected = 0
    /// A failure that no other row would be spared, Ctrl-C among them.
    private var failure: Failure?
    /// Whether to go on is of no use.
    var isStopped: Bool { failure != nil }

    /// Opens the files of a run.
    ///
    /// - Throws: `Failure`.
    static func open(
        _ folder: String, options: LinkOptions, maker: borrowing LinkMaker, source: String,
        input: InputKind
    ) throws(Failure) -> BulkRun {
        let files = try BulkOutput(
            folder, records: options.records,
            try RecordsSecret.read(from: options.recordsKeyFd))
        let queue = try LinkQueue(maker)
        let clock = try IssueClock()
        // Before there is a second thread: each holds the signals back as this one does.
        var signals: SignalQueue?
        if input == .file {
            signals = try fromSystem { () throws(SystemError) in try SignalQueue() }
        }
        return BulkRun(
            files: files, source: source, queue: queue, issuer: maker.key.name, clock: clock,
            signals: signals)
    }

    private init(
        files: consuming BulkOutput, source: String, queue: consuming LinkQueue, issuer: String,
        clock: IssueClock, signals: consuming SignalQueue?
    ) {
        self.files = files
        self.source = source
        self.queue = queue
        self.issuer = issuer
        self.clock = clock
        self.signals = signals
    }

    /// Orders a link with a new seed.
    mutating func make(_ order: TokenOrder, place: String) throws(RowProblem) {
        let seed: Seed
        do throws(Failure) {
            seed = try TokenOrder.drawnSeed(order.parameters.algorithm)
        } catch {
            failure = error
            return
        }
        try make(order, seed: seed, place: place)
    }

    /// Orders a link with a given seed.
    mutating func make(
        _ order: TokenOrder, seed: consuming Seed, place: String
    ) throws(RowProblem) {
        stopIfAsked()
        guard failure == nil else { return }
        let isTaken: Bool
        do throws(Failure) { isTaken = try files.isTaken(order.serial) } catch {
            failure = error
            return
        }
        guard !isTaken else { throw RowProblem("there is a token of this serial already") }
        queue.add(LinkJob(order, seed: seed, place: place))
        if queue.isFull { makeWaiting() }
    }

    /// Makes the links that wait, and writes them in their order.
    private mutating func makeWaiting() {
        for job in queue.make(at: clock.unixSeconds) where failure == nil {
            let made: MadeLink
            do throws(ActivationError) { made = try job.link() } catch {
                guard error != .outOfMemory else {
                    failure = Failure(error)
                    return
                }
                reject(job.place, RowProblem(error.explanation))
                continue
            }
            do throws(Failure) {
                try files.add(made, job.order, issuer: issuer, seed: job.seed)
            } catch { failure = error }
        }
    }

    /// Ctrl-C leaves nothing behind: the files are dropped on the way out.
    private mutating func stopIfAsked() {
        switch signals?.next() {
        case .interrupt, .quit, .terminate, .hangUp:
            failure = Failure(.interrupted, "interrupted: nothing was written")
        case .suspend, .resume, .resize, nil: return
        }
    }

    mutating func reject(_ place: String, _ problem: RowProblem) {
        rejected += 1
        progress.clear()
        output.report(Failure(.rejected, "\(source), \(place): \(problem.message)"))
    }

    /// Puts the files in place, writes the letters and says how it went.
    ///
    /// - Throws: `Failure`; 65 where something was rejected.
    mutating func finish(letter: String?) throws(Failure) {
        if failure == nil { makeWaiting() }
        progress.clear()
        stopIfAsked()
        if let failure { throw failure }
        try files.place()
        if let letter, files.count > 0 {
            let folder = LetterFolder(letter)
            try folder.write(links: files.linksPath, codes: files.codesPath)
            output.note("their letters: \(letter)/mails, and on another way \(letter)/sheets")
        }
        output.note("\(files.count) links made")
        guard rejected == 0 else {
            throw Failure(.rejected, "\(rejected) of \(rejected + files.count) were rejected")
        }
    }
}
