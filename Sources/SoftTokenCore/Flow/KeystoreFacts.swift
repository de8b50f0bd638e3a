// What is known of the keystore without a PIN, gathered once a command. Bound by DESIGN §4, §6 and
// CONTRACT §3 (`status`).
package import Device
package import Keystore

package struct KeystoreFacts: Equatable, Sendable {
    /// As `status` names it.
    package enum State: String, Sendable {
        case none, locked, delayed, erased, damaged, foreign, refused
    }

    package var state = State.none
    /// Why it can't be opened; nil where a PIN would be taken, or a keystore made.
    package var error: KeystoreError?
    package var attemptsLeft: Int?
    package var attemptLimit: Int?
    /// One of the two attempt records is missing or altered: one attempt is left, whatever the count.
    package var isAttemptRecordLost = false
    package var delaySeconds = 0
    /// Boot time can't be trusted: the next try begins the delay anew and records that.
    package var beginsDelayAnew = false
    package var policy = TokenPolicy()
    package var records: [PrescribingRecord] = []
    /// Whether the issuer that was asked for is among those that the keystore trusts.
    package var trustsIssuer = false
    package var attestedUnixSeconds: Int64?
    package var protector: Protector?
    package var isBoundToMachine = false
    /// To more than the machine-id, which file names in a home may tell.
    package var isBoundToStorage = false

    /// There is a keystore, and it takes a PIN.
    package var isOpenable: Bool { state == .locked || state == .delayed }

    init() {}

    init(_ error: KeystoreError) {
        self.error = error
        switch error {
        case .erased, .attemptRecordsLost, .erasedNow: state = .erased
        case .damaged: state = .damaged
        case .foreign: state = .foreign
        case .problem: state = .refused
        default: state = .none
        }
    }
}
