// A run that makes many links: what goes wrong with one of them is told, and the others are made.
// Bound by CONTRACT §6.
import Activation
import Keystore
import Linux
import ProgramSupport
import SoftTokenCore

/// Many links on their way, with what was rejected.
final class BulkRun {
    private let files: BulkOutput
    private let letters: LetterFolder?
    private let source: String
    private let byteCount: Int?
    private let progress = ProgressBar()
    private var queue: LinkQueue
    private let issuer: String
    private let signals: SignalQueue?
    private var rejected = 0

    /// Opens the files of a run.
    ///
    /// - Parameter byteCount: how long the source is; nil for a pipe. While signals are held back, a
    ///   read from one that is silent couldn't be interrupted: there Ctrl-C ends the program at once,
    ///   and may leave a file beside its place.
    init(
        _ folder: String, options: LinkOptions, letters: LetterFolder?, maker: LinkMaker,
        source: String, byteCount: Int?
    ) throws(Failure) {
        self.letters = letters
        self.source = source
        self.byteCount = byteCount
        issuer = maker.key.name
        let secret = try RecordsSecret.read(from: options.recordsKeyFd)
        files = try BulkOutput(folder, records: options.records, secret)
        queue = try LinkQueue(maker)
        // Before there is a second thread: each holds the signals back as this one does.
        signals = byteCount == nil ? nil : try fromSystem(try SignalQueue())
    }

    /// Orders a link.
    ///
    /// - Parameters:
    ///   - place: the line or the serial that a problem is told of.
    ///   - read: how many bytes of the source were read.
    /// - Throws: `Failure`, which no other row would be spared.
    func make(
        _ order: TokenOrder, seed: consuming Seed, place: String, read: Int
    ) throws(Failure) {
        try stopIfAsked()
        if try files.records.isTaken(order.serial) {
            reject(place, Failure(.rejected, "there is a token of this serial already"))
        } else {
            try letters?.requireFree(order.serial)
            queue.add(LinkJob(order, seed: seed, place: place))
            if queue.isFull { try makeWaiting() }
        }
        progress.show(byteCount.map { Double(read) / Double($0) }, links: files.count)
    }

    /// Makes the links that wait, and writes them in their order.
    private func makeWaiting() throws(Failure) {
        let now = try currentSeconds()
        for job in queue.make(at: now) {
            let made: MadeLink
            do throws(ActivationError) { made = try job.link() } catch {
                guard error != .outOfMemory else { throw Failure(error) }
                reject(job.place, Failure(error))
                continue
            }
            let other = try files.records.warningOfOther(ofAccount: job.order.account, at: now)
            if let other {
                progress.clear()
                output.warning("\(source), \(job.place): \(other)")
            }
            try files.add(made, job.order, issuer: issuer, seed: job.seed)
        }
    }

    /// Ctrl-C leaves nothing behind: the files are dropped on the way out.
    private func stopIfAsked() throws(Failure) {
        switch signals?.next() {
        case .interrupt, .quit, .terminate, .hangUp:
            throw Failure(.interrupted, "interrupted: nothing was written")
        case .suspend, .resume, .resize, nil: return
        }
    }

    /// Tells why a row, or a key of a PSKC file, is not made into a link; the run goes on.
    func reject(_ place: String, _ failure: Failure) {
        rejected += 1
        progress.clear()
        output.report(Failure(.rejected, "\(source), \(place): \(failure.message ?? "")"))
    }

    /// Puts the files in place, writes the letters and says how it went.
    ///
    /// - Throws: `Failure`; 65 where something was rejected.
    func finish() throws(Failure) {
        try makeWaiting()
        progress.clear()
        try stopIfAsked()
        try files.place()
        if let letters, files.count > 0 {
            try letters.write(links: files.linksPath, codes: files.codesPath)
            output.note(
                "their letters: \(letters.path)/mails, and on another way \(letters.path)/sheets")
        }
        output.note("links made: \(files.count)")
        guard rejected == 0 else {
            throw .rejected(rejected, of: rejected + files.count)
        }
    }
}
