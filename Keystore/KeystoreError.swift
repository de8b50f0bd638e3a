// Everything that can keep a keystore from opening or a command from being carried out. A case says
// what happened; its payload is what a caller can act on, never input, never a secret (STYLE 13).
package import Linux

package enum KeystoreError: Error, Equatable, Sendable {
    /// A part of FORMAT.md that can be damaged.
    package enum Part: Sendable {
        case keystore
        case deviceKey
        case deviceShare
    }

    /// There is no keystore.
    case missing
    /// Too many wrong PINs: the keys are destroyed. When, Unix seconds, and at which handles indices are
    /// left in the chip, which could not be asked.
    case erased(atUnixSeconds: Int64, leftInChip: [UInt32] = [])
    /// Both attempt records are missing or altered: no attempt is left.
    case attemptRecordsLost
    /// A file breaks FORMAT.md.
    case damaged(Part)
    /// Another device key, or another machine-id.
    case foreign
    /// The state folder has no device key: it is another than the keystore was made with, or not
    /// there.
    case deviceKeyMissing(folder: String)
    /// The keystore is bound to a value of this machine that can't be read.
    case machineIDUnreadable
    /// The chip was cleared, is another one, or gave this keystore's pair up for a newer PIN's.
    case foreignChip
    /// The chip can't be used.
    case chip(ChipTrouble)
    /// The chip counted more wrong PINs than the attempt records say: they were put back. Then call
    /// `Erasure`.
    case closedByChip
    /// A file or folder is someone else's, open to others, or not plain.
    case problem(FileProblem)
    /// The system did not cooperate.
    case system(SystemError)
    /// The PIN is wrong.
    case wrongPIN(attemptsLeft: Int, delaySeconds: Int)
    /// The PIN was wrong once too often: the keystore has just been erased.
    case erasedNow
    /// A delay is in force.
    case delayed(seconds: Int)
    /// Another process held the lock for a minute, or the lock file was swapped.
    case busy
    /// The keystore was replaced, or its PIN changed, between two steps of this command.
    case changed
    /// Argon2id, guarded memory or libsodium itself found no memory. Not a wrong PIN, and not a
    /// wrong code.
    case outOfMemory
    /// The activation code is wrong, or a link is not for this device; neither can be told from damage.
    case boxNotOpened
    /// The seed in a link's box has not 16...64 bytes, or the box names another link.
    case malformedBox
    /// Text is no seed.
    case malformedSeed(SeedFlaw)
    /// A token of this name is there already.
    case nameTaken
    /// No such token (any more).
    case tokenMissing
    /// The keystore holds as many tokens, records or issuers as it can.
    case full
    /// A HOTP counter is at its end: 2^53 − 1.
    case counterExhausted
    /// An older keystore was put back: which HOTP counter comes next is not known.
    case counterUnknown
}

/// Runs a step of the operating system, in this module's error.
package func translating<R: ~Copyable>(
    _ body: () throws(SystemError) -> R
) throws(KeystoreError) -> R {
    do throws(SystemError) { return try body() } catch {
        throw error.isFolderInUse ? .problem(.notPlain(path: error.subject)) : .system(error)
    }
}

/// One step of it: an autoclosure knows what its expression throws, a closure has to be told.
package func translating<R: ~Copyable>(
    _ step: @autoclosure () throws(SystemError) -> R
) throws(KeystoreError) -> R {
    try translating { () throws(SystemError) in try step() }
}

/// Opens a private file or folder, in this module's error.
package func opening<R: ~Copyable>(
    _ step: @autoclosure () throws(FileProblem) -> R
) throws(KeystoreError) -> R {
    do throws(FileProblem) { return try step() } catch { throw KeystoreError(error) }
}

extension KeystoreError {
    init(_ problem: FileProblem) {
        self = if case .system(let error) = problem { .system(error) } else { .problem(problem) }
    }
}
