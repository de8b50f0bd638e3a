// What activation asks of an unknown chip before it trusts it with a share: real chips differ, and one
// that doesn't count is worse than none. Bound by DESIGN §5.

extension CountingChip {
    /// Checks that this chip counts, locks, sets back, and refuses a session that would try the
    /// gate's authorization uncounted. Tried on the pair itself, with keys that are drawn and
    /// dropped; afterwards it is not there.
    ///
    /// - Throws: `ChipFault.doesNotCount`; others where the chip couldn't be asked: the pair may then
    ///   still be there.
    borrowing func checkCounting(
        _ pair: CountedPair, share: borrowing SecureBytes
    ) throws(ChipFault) {
        let right = try drawnKey()
        let wrong = try drawnKey()
        try make(pair, share: share, pinKey: right, tries: 2)
        let isCounting = try isCounting(pair, right: right, wrong: wrong, share: share)
        try erase(pair)
        guard isCounting else { throw .doesNotCount }
    }

    private borrowing func isCounting(
        _ pair: CountedPair, right: borrowing SecureBytes, wrong: borrowing SecureBytes,
        share: borrowing SecureBytes
    ) throws(ChipFault) -> Bool {
        guard try refusesSession(boundTo: pair.named(.gate).handle),
            // The control: without it a refusal says nothing.
            try !refusesSession(boundTo: pair.named(.share).handle),
            try answer(pair, wrong, share) == .wrongPIN,
            try answer(pair, right, share) == nil
        else { return false }
        for expected in [ChipFault.wrongPIN, .wrongPIN, .closed] {
            guard try answer(pair, wrong, share) == expected else { return false }
        }
        return try answer(pair, right, share) == .closed
    }

    /// What a key is answered: nil if it opens the pair and the share is the one that was written.
    private borrowing func answer(
        _ pair: CountedPair, _ key: borrowing SecureBytes, _ share: borrowing SecureBytes
    ) throws(ChipFault) -> ChipFault? {
        do throws(ChipFault) {
            let opened = try open(pair, pinKey: key, tries: 2)
            return opened.matches(share) ? nil : .shareLost
        } catch {
            switch error {
            case .wrongPIN, .closed, .shareLost, .notArmed, .answered: return error
            default: throw error
            }
        }
    }

    private borrowing func refusesSession(boundTo index: UInt32) throws(ChipFault) -> Bool {
        let command = ChipCommand.startSessionBytes(
            .hmac, salt: nil, nonce: randomBytes(count: 32), bound: index)
        do throws(ChipFault) {
            guard let begun = SessionResponse(try chip.exchange(command)) else {
                throw .notTheChips
            }
            chip.flush(begun.handle)
            return false
        } catch {
            guard case .answered = error else { throw error }
            return true
        }
    }
}

private func drawnKey() throws(ChipFault) -> SecureBytes {
    try inGuardedMemory(try SecureBytes(randomCount: 32))
}
