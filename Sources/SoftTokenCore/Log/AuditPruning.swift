// Dropping the log's old entries from its front, in steps that can be cut anywhere: the head goes
// first, so that nothing is ever missing that an authenticated head has not dropped.
// Bound by CONTRACT §3 and Keystore/FORMAT.md §10.
internal import Keystore
internal import Linux

extension AuditEvent {
    /// Whether a right PIN, or the making of one, stands behind it: what anybody can have written
    /// must not drop entries.
    func isBehindPIN(_ outcome: AuditOutcome) -> Bool {
        switch self {
        case .activate, .otp, .rename, .remove, .pin, .device, .issuer: outcome == .ok
        case .attest, .unlock, .delay, .erase, .reset, .refuse, .clock, .tamper: false
        }
    }
}

extension AuditHead {
    /// Whether the bytes before the base offset are dropped, in the log still or out already.
    var isPruning: Bool { baseOffset > 0 && baseMAC != AuditHead.zeroMAC }

    /// The head once they are out.
    var pruned: AuditHead {
        var head = self
        head.byteCount -= baseOffset
        head.baseOffset = 0
        return head
    }
}

extension MACKey {
    /// The head as it fits a log that begins with these bytes: a pruning may have been cut after the
    /// dropped bytes were taken out.
    func fitted(_ head: AuditHead, to start: ArraySlice<UInt8>) -> AuditHead {
        guard head.isPruning, let end = start.firstIndex(of: UInt8(ascii: "\n")),
            let line = LogEntry(start[..<end]),
            isChained(line, afterSequence: head.baseSequence, mac: head.baseMAC)
        else { return head }
        return head.pruned
    }

    /// The entry that follows another; nil if this is not it.
    fileprivate func line(
        _ bytes: ArraySlice<UInt8>, after sequence: UInt64, _ mac: [UInt8]
    ) -> LogEntry? {
        guard let line = LogEntry(bytes), isChained(line, afterSequence: sequence, mac: mac)
        else { return nil }
        return line
    }
}

/// What a look at the log's old entries found.
enum OldEntries {
    case none
    /// The head's base, once they are dropped.
    case dropped(sequence: UInt64, mac: [UInt8], offset: UInt64)
    /// One of them is not as it was written.
    case altered
}

extension AuditLog {
    private static let keptSeconds: Int64 = 2 * 366 * 86_400
    /// Pruning is done a month's worth at a time.
    private static let slackSeconds: Int64 = 31 * 86_400
    /// Of how many entries before the new one the lowest time counts: a clock that jumps ahead
    /// would have to stay there for as many.
    static let witnessCount = 32
    /// Longer than any line of ours.
    static let lineByteCount = 4096

    /// Looks for what is older than two years at the front of the chain.
    ///
    /// The first entry is verified, and each old one: one whose time was altered would keep all of
    /// them for ever, or take young ones along. What precedes a break goes with the tamper entry,
    /// which was written after it.
    ///
    /// - Parameter mayDrop: whether the new entry is one that drops others.
    static func oldEntries(
        in file: borrowing AppendFile, head: AuditHead, chain: borrowing MACKey,
        unixSeconds: Int64, mayDrop: Bool
    ) throws(KeystoreError) -> OldEntries {
        guard !head.isPruning, head.lastSequence > head.baseSequence else { return .none }
        let start = Int(head.baseOffset)
        let first = try lines(file, at: start, count: lineByteCount).first
        guard let first, let line = chain.line(first, after: head.baseSequence, head.baseMAC)
        else { return .altered }
        func isOld(at unixSeconds: Int64) -> Bool {
            line.unixSeconds < unixSeconds - keptSeconds - slackSeconds
        }
        // Without reading on: nearly always nothing is old.
        guard mayDrop, isOld(at: unixSeconds) else { return .none }
        let all = try lines(file, at: start, count: Int(head.byteCount) - start)
        guard let lowest = lowestTime(of: all, head: head, chain: chain) else {
            return .altered
        }
        let now = min(unixSeconds, lowest)
        guard isOld(at: now) else { return .none }
        let oldest = now - keptSeconds
        var (sequence, mac, offset) = (head.baseSequence, head.baseMAC, start)
        for bytes in all {
            guard let line = chain.line(bytes, after: sequence, mac) else { return .altered }
            guard line.unixSeconds < oldest else { break }
            (sequence, mac, offset) = (line.sequence, line.mac, offset + bytes.count + 1)
        }
        return .dropped(sequence: sequence, mac: mac, offset: UInt64(offset))
    }

    /// The lowest time of the chain's last entries; nil if one of them is not as it was written.
    private static func lowestTime(
        of lines: ArraySlice<ArraySlice<UInt8>>, head: AuditHead, chain: borrowing MACKey
    ) -> Int64? {
        var last = (sequence: head.baseSequence, mac: head.baseMAC)
        if let before = lines.dropLast(witnessCount).last {
            guard let line = LogEntry(before) else { return nil }
            last = (line.sequence, line.mac)
        }
        var lowest = Int64.max
        for bytes in lines.suffix(witnessCount) {
            guard let line = chain.line(bytes, after: last.sequence, last.mac) else {
                return nil
            }
            lowest = min(lowest, line.unixSeconds)
            last = (line.sequence, line.mac)
        }
        return last.sequence == head.lastSequence && last.mac == head.lastMAC ? lowest : nil
    }

    /// Drops the old entries, and what a pruning that was cut has left. The head is written before
    /// and has to be written after.
    static func prune(
        _ old: OldEntries, from file: borrowing AppendFile, head: inout AuditHead,
        folders: KeystoreFolders, key: borrowing LogKey
    ) throws(KeystoreError) {
        if case .dropped(let sequence, let mac, let offset) = old {
            head.baseSequence = sequence
            head.baseMAC = mac
            head.baseOffset = offset
            // Before the log's own: under the former head the shorter log would be a cut one.
            try write(head, folders: folders, key: key)
        }
        guard head.isPruning else { return }
        let kept = head.pruned
        let start = Int(head.baseOffset)
        try translating { () throws(SystemError) in
            let rest = try file.bytes(at: start, count: Int(kept.byteCount))
            try folders.state.replace(fileName, bytes: rest.span)
        }
        head = kept
    }

    /// The whole lines of a part of the file.
    private static func lines(
        _ file: borrowing AppendFile, at offset: Int, count: Int
    ) throws(KeystoreError) -> ArraySlice<ArraySlice<UInt8>> {
        let bytes = try translating(try file.bytes(at: offset, count: count))
        return bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .dropLast()
    }
}
