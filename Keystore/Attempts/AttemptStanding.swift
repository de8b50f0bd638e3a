// How many attempts are left, and whether one may be made now: pure functions of the two copies and
// of boot time. Bound by DESIGN §4 and FORMAT.md §6.
package import Linux

/// One copy of the attempt record as it was found.
package enum AttemptCopy: Equatable, Sendable {
    case missing
    case altered
    case whole(AttemptRecord)

    fileprivate var record: AttemptRecord? {
        if case .whole(let record) = self { record } else { nil }
    }
}

/// What the audit log's head vouches for: generations that were on the disk before it was written.
/// FORMAT.md §10.
package struct Vouched: Equatable, Sendable {
    /// Of the attempt record; 0: of none.
    package var attempts: UInt64
    /// Of the keystore; 0: of none.
    package var keystore: UInt64
    /// What the attempt record says; nil where the head doesn't tell.
    package var count: VouchedCount?
    /// Of the used links; 0: of none.
    package var usedLinks: UInt64 = 0

    package init(attempts: UInt64, keystore: UInt64, count: VouchedCount? = nil) {
        self.attempts = attempts
        self.keystore = keystore
        self.count = count
    }

    /// What stands for the used links' generation where nobody can tell which were used until now: odd,
    /// as no file's is. Clocks may differ by 300 s.
    package static func untoldUsedLinks(
        unixSeconds: Int64, above generation: UInt64 = 0
    ) -> UInt64 {
        min(max(UInt64(max(unixSeconds, 0)) + 300, generation + 1) | 1, 1 << 63 - 1)
    }

    /// What holds where the log is not what the head names: a record that was never written. The head
    /// of the chain that then begins says so, too, so that it is not forgotten with its first entry.
    package var withoutLog: Vouched {
        var vouched = self
        if attempts > 0 { vouched.attempts += Vouched.neverWritten }
        return vouched
    }

    /// More records than are written beside one head.
    fileprivate static let neverWritten: UInt64 = 1 << 32

    init(_ record: AttemptRecord, of deviceName: [UInt8], keystore: UInt64) {
        self.init(
            attempts: record.generation, keystore: keystore,
            count: VouchedCount(
                deviceName: deviceName, failures: record.count, limit: record.limit))
    }
}

/// What the record that a head vouches for says, and of which device it is.
package struct VouchedCount: Equatable, Sendable {
    package let deviceName: [UInt8]
    package var failures: Int
    package let limit: Int

    package init(deviceName: [UInt8], failures: Int, limit: Int) {
        self.deviceName = deviceName
        self.failures = failures
        self.limit = limit
    }

    var isAtLimit: Bool { failures >= limit }

    package mutating func addFailure() { failures = min(failures + 1, limit) }
}

/// Where the attempts stand: judged only after the keystore is known to be whole and this device's.
package struct AttemptStanding: Equatable, Sendable {
    /// The copy that counts.
    package let record: AttemptRecord
    /// One copy is missing or altered, or is not what the log's head says.
    package let isRecordAltered: Bool
    /// The head beside which the record was written is missing, or the log that it names: records
    /// and keystore may be old ones.
    package let isLogLost: Bool
    /// It is older than the log's head says.
    private let isRecordOlder: Bool
    /// nil where there is no head that counts.
    package let vouched: Vouched?

    /// Judges the two copies, and the log's head over them.
    ///
    /// - Parameter deviceName: whose copies they are.
    /// - Returns: nil when both are missing or altered, or were written beside a log that is now
    ///   another keystore's: no attempt is left.
    package init?(
        state: AttemptCopy, data: AttemptCopy, vouched: Vouched? = nil, of deviceName: [UInt8]
    ) {
        let record: AttemptRecord
        let isAltered: Bool
        switch (state.record, data.record) {
        case (nil, nil): return nil
        case (let only?, nil), (nil, let only?): (record, isAltered) = (only, true)
        case (let left?, let right?):
            record = left.generation >= right.generation ? left : right
            // No writer makes two records of one generation: one of them was put there.
            isAltered = left.generation == right.generation && left != right
        }
        self.record = record
        self.vouched = vouched
        if let count = vouched?.count, count.deviceName != deviceName, record.isVouched {
            return nil
        }
        let told = vouched?.attempts ?? 0
        // So far ahead no record ever was: the head is one of `withoutLog`.
        let isLogGone =
            told > record.generation && told - record.generation > Vouched.neverWritten / 2
        isRecordOlder = record.generation < (isLogGone ? told - Vouched.neverWritten : told)
        isRecordAltered = isAltered || isRecordOlder
        isLogLost = isLogGone || record.isVouched && told == 0
    }

    /// One attempt is left, and it is counted as the last.
    package var isCopyLost: Bool { isRecordAltered || isLogLost }

    /// A record that was put back after the limit had been reached.
    private var isPutBackAtLimit: Bool {
        isRecordOlder && vouched?.count?.isAtLimit == true
    }

    /// An older record or keystore was put back: what the keystore counts is not what has been used.
    func isOlder(keystoreGeneration: UInt64) -> Bool {
        keystoreGeneration < highestKeystoreGeneration || isRecordOlder
    }

    /// What the next version of the keystore has to be above.
    var highestKeystoreGeneration: UInt64 {
        max(record.keystoreGeneration, vouched?.keystore ?? 0)
    }

    /// The count has reached the limit written in the record itself, or in a newer one that the head
    /// vouches for: an erasure is in progress.
    package var isErasing: Bool { record.count >= record.limit || isPutBackAtLimit }

    /// The limit that holds for the next attempt: the stricter of the record's and the policy's; a
    /// limit lowered later leaves at least one attempt.
    package func limit(policy: Int) -> Int { max(min(record.limit, policy), record.count + 1) }

    /// How many attempts remain, the next one included.
    package func attemptsLeft(policy: Int) -> Int {
        isErasing ? 0 : isCopyLost ? 1 : limit(policy: policy) - record.count
    }

    /// The record to be on disk before the next PIN is tried.
    package func counted(policy: Int, now: BootTime) -> AttemptRecord {
        let limit = limit(policy: policy)
        return next(count: isCopyLost ? limit : record.count + 1, limit: limit, now: now)
    }

    /// The record that takes a count back when it could not be written whole: never kinder than
    /// before.
    ///
    /// - Parameter counted: the record that was to be written.
    package func takenBack(after counted: AttemptRecord, now: BootTime) -> AttemptRecord {
        let limit = counted.limit
        let count = isCopyLost ? limit - 1 : record.count
        return AttemptRecord(
            generation: counted.generation + 1, keystoreGeneration: record.keystoreGeneration,
            count: count, limit: isCopyLost ? limit : record.limit,
            isVouched: counted.isVouched, delayStart: record.delayStart, now: now)
    }

    /// The record that keeps the count and begins its delay now; never kinder than before.
    func delayedAnew(policy: Int, now: BootTime) -> AttemptRecord {
        let limit = isCopyLost ? limit(policy: policy) : record.limit
        return next(count: isCopyLost ? limit - 1 : record.count, limit: limit, now: now)
    }

    /// The record that begins a reset.
    package func ofReset(now: BootTime) -> AttemptRecord {
        next(count: AttemptRecord.resetLimit, limit: AttemptRecord.resetLimit, now: now)
    }

    private func next(count: Int, limit: Int, now: BootTime) -> AttemptRecord {
        AttemptRecord(
            generation: max(record.generation, vouched?.attempts ?? 0) + 1,
            keystoreGeneration: record.keystoreGeneration, count: count, limit: limit,
            // A head that an earlier version wrote vouches for no record: this one needs none.
            isVouched: record.isVouched || vouched?.attempts ?? 0 > 0, now: now)
    }
}

/// Whether the delay after wrong PINs is over.
package enum Delay: Equatable, Sendable {
    case over
    /// So many seconds remain, rounded up.
    case remaining(seconds: Int)
    /// Boot time can't be trusted: the full delay again, written down with now as its start.
    case restart(seconds: Int)
}

extension AttemptRecord {
    /// The delay after `count` failures in a row, seconds: 30 from the 5th, doubling.
    package static func delaySeconds(count: Int) -> Int {
        count < firstDelayedCount ? 0 : 30 << (count - firstDelayedCount)
    }

    /// Judges the delay in boot time; the wall clock is never used for it.
    package func delay(now: BootTime) -> Delay {
        guard let delayStart else { return .over }
        let seconds = AttemptRecord.delaySeconds(count: count)
        let needed = UInt64(seconds) * 1_000_000_000
        guard now.offsetNanoseconds == delayStart.offsetNanoseconds else {
            return .restart(seconds: seconds)
        }
        let elapsed: UInt64
        if now.bootID == delayStart.bootID || AttemptRecord.isUntold(delayStart) {
            guard now.nanoseconds >= delayStart.nanoseconds else {
                return .restart(seconds: seconds)
            }
            elapsed = now.nanoseconds - delayStart.nanoseconds
        } else {
            guard now.isBootIDBelieved else { return .restart(seconds: seconds) }
            elapsed = now.nanoseconds
        }
        guard elapsed < needed else { return .over }
        return .remaining(seconds: Int((needed - elapsed + 999_999_999) / 1_000_000_000))
    }

    /// The record that begins the erasure of a keystore whose protector takes no PIN any more.
    func closed(now: BootTime) -> AttemptRecord {
        AttemptRecord(
            generation: generation + 1, keystoreGeneration: keystoreGeneration, count: limit,
            limit: limit, isVouched: isVouched, now: now)
    }

    /// The record after a right PIN.
    func reset(keystoreGeneration: UInt64, limit: Int, now: BootTime) -> AttemptRecord {
        AttemptRecord(
            generation: generation + 1, keystoreGeneration: keystoreGeneration, count: 0,
            limit: limit, isVouched: isVouched, now: now)
    }

    /// The record after the keystore was written again: count and delay stay.
    func following(keystoreGeneration: UInt64, now: BootTime) -> AttemptRecord {
        AttemptRecord(
            generation: generation + 1, keystoreGeneration: keystoreGeneration, count: count,
            limit: limit, isVouched: isVouched, delayStart: delayStart, now: now)
    }

    /// A record with an explicit start, where there has to be one.
    fileprivate init(
        generation: UInt64, keystoreGeneration: UInt64, count: Int, limit: Int, isVouched: Bool,
        delayStart: BootTime?, now: BootTime
    ) {
        self.init(
            generation: generation, keystoreGeneration: keystoreGeneration, count: count,
            limit: limit, isVouched: isVouched, now: delayStart ?? now)
    }
}
