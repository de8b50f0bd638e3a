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
    /// The log is not what the head names: records and keystore may be old ones.
    package var isLogGone = false

    package init(attempts: UInt64, keystore: UInt64) {
        self.attempts = attempts
        self.keystore = keystore
    }
}

/// Where the attempts stand: judged only after the keystore is known to be whole and this device's.
package struct AttemptStanding: Equatable, Sendable {
    /// The copy that counts.
    package let record: AttemptRecord
    /// One copy is missing or altered, or older than the log's head says.
    package let isRecordAltered: Bool
    /// That, or the head is missing beside which the record was written, or the log that the head
    /// names: one attempt is left, and it is counted as the last.
    package let isCopyLost: Bool
    /// nil where there is no head that counts.
    package let vouched: Vouched?

    /// Judges the two copies, and the log's head over them.
    ///
    /// - Returns: nil when both are missing or altered: no attempt is left.
    package init?(state: AttemptCopy, data: AttemptCopy, vouched: Vouched? = nil) {
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
        isRecordAltered = isAltered || record.generation < vouched?.attempts ?? 0
        isCopyLost =
            isRecordAltered || record.isVouched && vouched == nil || vouched?.isLogGone == true
    }

    /// An older record, or an older keystore, was put back: what the keystore counts is not what
    /// has been used.
    func isOlder(keystoreGeneration: UInt64) -> Bool {
        keystoreGeneration < highestKeystoreGeneration
            || vouched.map { record.generation < $0.attempts } ?? false
    }

    /// What the next version of the keystore has to be above.
    var highestKeystoreGeneration: UInt64 {
        max(record.keystoreGeneration, vouched?.keystore ?? 0)
    }

    /// The count has reached the limit written in the record itself: an erasure is in progress.
    package var isErasing: Bool { record.count >= record.limit }

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
    package func takenBack(policy: Int, after counted: AttemptRecord, now: BootTime)
        -> AttemptRecord
    {
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

    /// The record that begins an erasure.
    package func atLimit(now: BootTime) -> AttemptRecord {
        next(count: record.limit, limit: record.limit, now: now)
    }

    private func next(count: Int, limit: Int, now: BootTime) -> AttemptRecord {
        AttemptRecord(
            generation: max(record.generation, vouched?.attempts ?? 0) + 1,
            keystoreGeneration: record.keystoreGeneration, count: count, limit: limit,
            isVouched: record.isVouched || vouched != nil, now: now)
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
