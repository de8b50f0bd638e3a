// `issue --csv`: a link a row, in the memory of one row. A bad row is told with its line; the others
// are made. Bound by CONTRACT §6 and DESIGN §11 (flat memory, bound by Ed25519 and disk).
import Activation
import Keystore
import Linux
import OTP

/// Makes the links of a CSV file.
///
/// - Throws: `Failure`; 65 where a row was rejected, after the others were made.
func issueMany(
    csv: String, out: String, options: LinkOptions, token: TokenOptions,
    maker: borrowing LinkMaker
) throws(Failure) {
    var rows = CSVReader(try openCSV(csv))
    guard let head = try nextRow(&rows)?.fields, let columns = CSVColumns(head) else {
        throw Failure(
            .rejected, "the first row doesn't name the columns",
            hint: "account is needed; serial, type, algorithm, digits, period, request may follow")
    }
    var run = BulkRun(output: try BulkOutput.open(out, records: options.records), source: csv)
    let signals = try Failure.catching(Failure.init(_:)) { () throws(SystemError) in
        try SignalQueue()
    }
    let total = rows.totalByteCount
    while let row = try nextRow(&rows) {
        try stopIfAsked(signals)
        do throws(RowProblem) {
            guard let fields = row.fields else { throw RowProblem("it is not CSV") }
            let order = try columns.order(fields, token: token, terms: options.terms)
            try run.make(order, maker: maker)
        } catch { run.reject("line \(row.line)", error) }
        run.progress.show(
            total > 0 ? Double(rows.byteCount) / Double(total) : nil, links: run.output.count)
    }
    try run.finish()
}

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
    private var rejected = 0
    /// A failure that no other row would be spared.
    private var failure: Failure?

    init(output: consuming BulkOutput, source: String) {
        self.output = output
        self.source = source
    }

    /// Makes a link with a new seed.
    mutating func make(_ order: TokenOrder, maker: borrowing LinkMaker) throws(RowProblem) {
        let seed: Seed
        do throws(SecureMemoryError) {
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
        guard failure == nil else { return }
        guard !output.isTaken(order.serial) else {
            throw RowProblem("there is a token of this serial already")
        }
        let made: MadeLink
        do throws(Failure) {
            made = try makeLink(order, seed: seed, maker)
        } catch {
            guard error.status == .inputOutput else { throw RowProblem(error.message) }
            failure = error
            return
        }
        do throws(Failure) {
            try output.add(made, order, issuer: maker.key.name, seed: seed)
        } catch { failure = error }
    }

    mutating func reject(_ place: String, _ problem: RowProblem) {
        rejected += 1
        progress.clear()
        Console.report(Failure(.rejected, "\(source), \(place): \(problem.message)"))
    }

    /// Puts the files in place and says how it went.
    ///
    /// - Throws: `Failure`; 65 where something was rejected.
    mutating func finish() throws(Failure) {
        progress.clear()
        if let failure { throw failure }
        try output.place()
        Console.note("\(output.count) links made")
        guard rejected == 0 else {
            throw Failure(.rejected, "\(rejected) of \(rejected + output.count) were rejected")
        }
    }
}

private func makeLink(
    _ order: TokenOrder, seed: borrowing Seed, _ maker: borrowing LinkMaker
) throws(Failure) -> MadeLink {
    let now = try currentUnixSeconds()
    do throws(ActivationError) {
        return try maker.link(order, seed: seed, at: now)
    } catch { throw Failure(error) }
}

/// Ctrl-C leaves nothing behind: the files are dropped on the way out.
func stopIfAsked(_ signals: borrowing SignalQueue) throws(Failure) {
    switch signals.next() {
    case .interrupt, .quit, .terminate, .hangUp:
        throw Failure(.interrupted, "interrupted: nothing was written")
    case .suspend, .resume, .resize, nil: return
    }
}

private func openCSV(_ path: String) throws(Failure) -> Descriptor {
    if path == "-" {
        return try Failure.catching(Failure.init(_:)) { () throws(SystemError) in
            try Descriptor(duplicating: 0, path: "standard input")
        }
    }
    return try Failure.catching(Failure.init(_:)) { () throws(FileProblem) in try openInput(path) }
}

private func nextRow(_ rows: inout CSVReader) throws(Failure) -> CSVRow? {
    do throws(SystemError) { return try rows.nextRow() } catch { throw Failure(error) }
}
