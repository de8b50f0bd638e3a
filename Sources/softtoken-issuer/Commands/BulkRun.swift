// A run that makes many links: what goes wrong with one of them is told, and the others are made.
// Bound by CONTRACT §6.
import Activation
import Keystore
import Linux
import OTP

/// Why a row, or a key of a PSKC file, is not made into a link; the run goes on unless `failure` says
/// otherwise.
struct RowProblem: Error {
    let message: String
    init(_ message: String) { self.message = message }
}

/// Many links on their way, with what was rejected.
struct BulkRun: ~Copyable {
    var output: BulkOutput
    let source: String
    var progress = ProgressBar()
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
        _ folder: String, options: LinkOptions, source: String, input: InputKind
    ) throws(Failure) -> BulkRun {
        let output = try BulkOutput.open(
            folder, records: options.records,
            try RecordsSecret.read(from: options.recordsKeyFd))
        let clock = try IssueClock()
        guard input == .file else {
            return BulkRun(output: output, source: source, clock: clock, signals: nil)
        }
        do throws(SystemError) {
            let signals = try SignalQueue()
            return BulkRun(output: output, source: source, clock: clock, signals: signals)
        } catch { throw Failure(error) }
    }

    private init(
        output: consuming BulkOutput, source: String, clock: IssueClock,
        signals: consuming SignalQueue?
    ) {
        self.output = output
        self.source = source
        self.clock = clock
        self.signals = signals
    }

    /// Makes a link with a new seed.
    mutating func make(_ order: TokenOrder, maker: borrowing LinkMaker) throws(RowProblem) {
        let seed: Seed
        do throws(KeystoreError) {
            seed = try TokenOrder.drawnSeed(order.parameters.algorithm)
        } catch {
            failure = Failure(error)
            return
        }
        try make(order, seed: seed, maker: maker)
    }

    /// Makes a link with a given seed.
    mutating func make(
        _ order: TokenOrder, seed: borrowing Seed, maker: borrowing LinkMaker
    ) throws(RowProblem) {
        stopIfAsked()
        guard failure == nil else { return }
        let isTaken: Bool
        do throws(Failure) { isTaken = try output.isTaken(order.serial) } catch {
            failure = error
            return
        }
        guard !isTaken else { throw RowProblem("there is a token of this serial already") }
        let made: MadeLink
        do throws(Failure) {
            made = try makeLink(order, seed: seed, maker, at: clock.unixSeconds)
        } catch {
            guard error.status == .inputOutput else { throw RowProblem(error.message) }
            failure = error
            return
        }
        do throws(Failure) {
            try output.add(made, order, issuer: maker.key.name, seed: seed)
        } catch { failure = error }
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
        Console.report(Failure(.rejected, "\(source), \(place): \(problem.message)"))
    }

    /// Puts the files in place, writes the letters and says how it went.
    ///
    /// - Throws: `Failure`; 65 where something was rejected.
    mutating func finish(letter: String?) throws(Failure) {
        progress.clear()
        if let failure { throw failure }
        try output.place()
        if let letter, output.count > 0 {
            let folder = LetterFolder(letter)
            try folder.write(links: output.linksPath, codes: output.codesPath)
            Console.note("their letters: \(letter)/mails, and on another way \(letter)/sheets")
        }
        Console.note("\(output.count) links made")
        guard rejected == 0 else {
            throw Failure(.rejected, "\(rejected) of \(rejected + output.count) were rejected")
        }
    }
}

private func makeLink(
    _ order: TokenOrder, seed: borrowing Seed, _ maker: borrowing LinkMaker, at now: Int64
) throws(Failure) -> MadeLink {
    do throws(ActivationError) {
        return try maker.link(order, seed: seed, at: now)
    } catch { throw Failure(error) }
}
