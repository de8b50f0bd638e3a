// What is known of the keystore without a PIN, gathered once a command. Bound by DESIGN §4, §6 and
// CONTRACT §3 (`status`).
import Device
import Keystore

struct KeystoreFacts: Equatable, Sendable {
    /// nil: something kept it from being known, and `error` says what.
    var state: Status.Keystore? = Status.Keystore.none
    /// Why it can't be opened; nil where a PIN would be taken, or a keystore made.
    var error: KeystoreError?
    var attemptsLeft: Int?
    var attemptLimit: Int?
    /// An attempt record, or the log that vouches for it, is missing, altered or put back: one attempt
    /// is left, whatever the count.
    var isAttemptRecordLost = false
    /// An older keystore may stand where a newer one was.
    var mayBeOlder = false
    var delaySeconds = 0
    /// Boot time can't be trusted: the next try begins the delay anew and writes that down.
    var beginsDelayAnew = false
    var policy = TokenPolicy()
    var records: [PrescribingRecord] = []
    /// What the administrator asked for when that could last be believed, where it can't be now.
    var seenPolicy = SeenPolicy()
    /// How the key of the link that was asked for stands with the keystore.
    var issuerTrust = IssuerTrust.unknown
    var attestedUnixSeconds: Int64?
    /// The latest time that the log's head vouches for (DESIGN §7).
    var baselineUnixSeconds: Int64?
    var protector: Protector?
    var binding = HomeBinding.nothing

    /// There is a keystore, and it takes a PIN.
    var isOpenable: Bool { state == .locked || state == .delayed }

}

extension KeystoreFacts {
    init(_ error: KeystoreError) {
        self.init()
        self.error = error
        switch error {
        case .erased, .attemptRecordsLost, .erasedNow, .closedByChip: state = .erased
        case .damaged: state = .damaged
        case .foreign, .deviceKeyMissing, .foreignChip: state = .foreign
        case .problem: state = .refused
        case .missing: state = Status.Keystore.none
        case .machineIDUnreadable, .system, .busy, .changed, .outOfMemory, .chip: state = nil
        case .wrongPIN, .delayed, .nameTaken, .tokenMissing, .full, .counterExhausted,
            .counterUnknown, .boxNotOpened, .malformedBox, .malformedSeed:
            preconditionFailure("looking at a keystore tries no PIN and changes nothing")
        }
    }
}
