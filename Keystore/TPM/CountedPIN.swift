// What is done with a pair of indices: made, opened with a PIN's key, erased, and tried out on a chip
// that is not known yet. Bound by DESIGN §5 and FORMAT.md §15.
internal import Linux

/// A chip with the key that salts its sessions.
struct CountingChip: ~Copyable {
    let chip: Chip
    let primary: PrimaryResponse

    /// Makes the key that salts sessions. Its Name is pinned in `device-share`: another one is another
    /// chip, or one that was cleared.
    init(_ chip: consuming Chip) throws(ChipFault) {
        let answer = try chip.exchange(ChipCommand.createPrimaryBytes())
        guard let primary = PrimaryResponse(answer) else { throw .notTheChips }
        self.primary = primary
        self.chip = chip
    }

    deinit { chip.flush(primary.handle) }

    /// The Name of the index at a handle; nil if there is none.
    borrowing func name(at handle: UInt32) throws(ChipFault) -> [UInt8]? {
        do throws(ChipFault) {
            let answer = try chip.exchange(ChipCommand.readPublicBytes(handle))
            guard let there = PublicResponse(answer) else { throw .notTheChips }
            return there.name
        } catch {
            guard error == .answered(.noSuchHandle) else { throw error }
            return nil
        }
    }

    /// Checks, without a PIN and without a try, that this is the chip that the pair was made in, and
    /// that both indices are there, written.
    ///
    /// - Throws: `ChipFault.otherChip`.
    borrowing func confirm(_ pair: CountedPair, primaryName: [UInt8]) throws(ChipFault) {
        guard primary.name == primaryName else { throw .otherChip }
        for index in CountedPair.Index.allCases {
            let named = pair.named(index)
            guard try name(at: named.handle) == named.name else { throw .otherChip }
        }
    }

    /// A pair for a share, at handles where nothing stands.
    borrowing func freePair(for share: borrowing SecureBytes) throws(ChipFault) -> CountedPair {
        while true {
            let handle = CountedPair.drawnHandle()
            if try name(at: handle) != nil { continue }
            if try name(at: handle + 1) != nil { continue }
            return try inGuardedMemory(try CountedPair(handle: handle, share: share))
        }
    }

    /// Defines, writes and arms a pair.
    ///
    /// - Parameters:
    ///   - share: what SHARE is to hold; `pair.policy` is of these bytes.
    ///   - tries: 1...10.
    /// - Throws: `ChipFault.answered`: `noRoom`, `alreadyDefined`. What was made then is still there:
    ///   `erase` it.
    borrowing func make(
        _ pair: CountedPair, share: borrowing SecureBytes, pinKey: borrowing SecureBytes,
        tries: Int
    ) throws(ChipFault) {
        let limit = try inGuardedMemory(try GateContent.drawnLimit())
        let gateKey = try inGuardedMemory(try PairAuthorization.gate(pinKey))
        let shareKey = try inGuardedMemory(try PairAuthorization.share(pinKey, limit: limit))
        try withSessions { (session, policySession) throws(ChipFault) in
            try define(pair, .share, shareKey, &session)
            let unwritten = pair.named(.share, .unwritten)
            try session.send(
                .write, on: [unwritten, unwritten], try session.keys(shareKey), secret: share,
                rest: [0, 0], chip: chip)
            try define(pair, .gate, gateKey, &session)
            try authorize(&session, policySession.handle, pair, shareKey, share: share)
            try arm(
                pair.named(.gate, .unwritten), &policySession, gateKey, limit: limit,
                tries: tries)
        }
    }

    /// Opens a pair with a PIN's key: reads GATE, which the chip counts; reads SHARE; arms GATE again.
    ///
    /// - Parameter tries: what the right PIN leaves for the next time: the limit in force, 1...10.
    /// - Returns: the device share.
    /// - Throws: `ChipFault.wrongPIN`, `.closed`, `.shareLost`, `.notArmed`, and those of the wire.
    borrowing func open(
        _ pair: CountedPair, pinKey: borrowing SecureBytes, tries: Int
    ) throws(ChipFault) -> SecureBytes {
        try withSessions { (session, policySession) throws(ChipFault) in
            let gateKey = try inGuardedMemory(try PairAuthorization.gate(pinKey))
            // From the try to the arming nothing may end this process.
            return try withSignalsHeldBack { () throws(ChipFault) in
                let limit = try readLimit(pair, gateKey, &session)
                let shareKey = try inGuardedMemory(
                    try PairAuthorization.share(pinKey, limit: limit))
                let share = try readShare(pair, shareKey, &session)
                do throws(ChipFault) {
                    try authorize(&session, policySession.handle, pair, shareKey, share: share)
                    try arm(pair.named(.gate), &policySession, gateKey, limit: limit, tries: tries)
                } catch { throw .notArmed }
                return share
            }
        }
    }

    /// Takes what there is of a pair out of the chip: SHARE first, which everything hangs on. Where
    /// the gate has another Name the pair is somebody else's, and stays: all shares at one handle have
    /// the same Name.
    borrowing func erase(_ pair: CountedPair) throws(ChipFault) {
        let gates = pair.names(.gate)
        if let gate = try name(at: pair.named(.gate).handle), !gates.contains(gate) { return }
        try withSession(.hmac) { (session) throws(ChipFault) in
            for index in CountedPair.Index.allCases {
                let handle = pair.named(index).handle
                guard let name = try name(at: handle), pair.names(index).contains(name) else {
                    continue
                }
                try session.act(
                    .undefineSpace, on: [.owner, NamedHandle(handle, name: name)],
                    try session.keys(), chip: chip)
            }
        }
    }
}

// The commands of a pair, one by one.
extension CountingChip {
    /// The try: yields the four bytes L.
    private borrowing func readLimit(
        _ pair: CountedPair, _ key: borrowing SecureBytes, _ session: inout ChipSession
    ) throws(ChipFault) -> SecureBytes {
        do throws(ChipFault) {
            let content = try read(
                pair.named(.gate), CountedPair.gateByteCount, key, &session)
            return try inGuardedMemory(try copy(4..<8, of: content))
        } catch {
            switch error {
            case .answered(.badAuthorization): throw .wrongPIN
            case .answered(.authorizationUnavailable): throw .closed
            default: throw error
            }
        }
    }

    private borrowing func readShare(
        _ pair: CountedPair, _ key: borrowing SecureBytes, _ session: inout ChipSession
    ) throws(ChipFault) -> SecureBytes {
        do throws(ChipFault) {
            return try read(pair.named(.share), CountedPair.shareByteCount, key, &session)
        } catch {
            throw error == .answered(.badAuthorization) ? .shareLost : error
        }
    }

    private borrowing func read(
        _ index: NamedHandle, _ count: Int, _ key: borrowing SecureBytes,
        _ session: inout ChipSession
    ) throws(ChipFault) -> SecureBytes {
        try session.receive(
            .read, on: [index, index], try session.keys(key),
            parameters: bigEndianBytes(UInt16(count)) + [0, 0], count: count, chip: chip)
    }

    private borrowing func define(
        _ pair: CountedPair, _ index: CountedPair.Index, _ key: borrowing SecureBytes,
        _ session: inout ChipSession
    ) throws(ChipFault) {
        var area = ByteWriter()
        area.append(sized: pair.publicArea(index, .unwritten))
        try session.send(
            .defineSpace, on: [.owner], try session.keys(), secret: key, rest: area.bytes,
            chip: chip)
    }

    /// PolicyNV: shows the policy session that SHARE holds the bytes that the gate's policy names.
    private borrowing func authorize(
        _ session: inout ChipSession, _ policySession: UInt32, _ pair: CountedPair,
        _ key: borrowing SecureBytes, share: borrowing SecureBytes
    ) throws(ChipFault) {
        let index = pair.named(.share)
        try session.send(
            .policyNV, on: [index, index, NamedHandle(policySession)], try session.keys(key),
            secret: share, rest: [0, 0, 0, 0], chip: chip)
    }

    private borrowing func arm(
        _ gate: NamedHandle, _ policySession: inout ChipSession, _ key: borrowing SecureBytes,
        limit: borrowing SecureBytes, tries: Int
    ) throws(ChipFault) {
        let content = try inGuardedMemory(try GateContent.armed(limit: limit, tries: tries))
        try policySession.send(
            .write, on: [gate, gate], try policySession.keys(key), secret: content, rest: [0, 0],
            chip: chip)
    }

    private borrowing func withSession<R: ~Copyable>(
        _ kind: ChipSession.Kind, _ body: (inout ChipSession) throws(ChipFault) -> R
    ) throws(ChipFault) -> R {
        var session = try ChipSession.start(kind, chip: chip, saltedBy: primary)
        let handle = session.handle
        defer { chip.flush(handle) }
        return try body(&session)
    }

    /// One session for the authorizations, and a fresh policy session, made beforehand: between a right
    /// PIN and the arming the gate stands open.
    private borrowing func withSessions<R: ~Copyable>(
        _ body: (inout ChipSession, inout ChipSession) throws(ChipFault) -> R
    ) throws(ChipFault) -> R {
        try withSession(.hmac) { (session) throws(ChipFault) in
            try withSession(.policy) { (policySession) throws(ChipFault) in
                try body(&session, &policySession)
            }
        }
    }
}
