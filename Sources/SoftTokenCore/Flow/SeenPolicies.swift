// The administrator's policy sticks: what it asked for when it could last be believed is kept in the
// keystore, under the PIN, so that hiding the file gains nothing. Bound by DESIGN §6 and
// Keystore/FORMAT.md §5.
import Activation
import Device
import Keystore
import Linux

extension Flow {
    /// The stricter of a keystore's own policy and the administrator's: as it is now, and where no
    /// file that can be believed says it as it was last seen, too.
    func combined(_ section: PublicSection) -> TokenPolicy {
        combined(section.policy).combined(with: holdingPolicy(section).policy)
    }

    /// What was last seen, where it holds.
    func holdingPolicy(_ section: PublicSection) -> SeenPolicy {
        device.isPolicyBelieved ? SeenPolicy() : section.seenPolicy
    }

    /// Keeps what the administrator's file asks for now, if it can be believed and is another policy
    /// than the one that is kept. One that can't be written is kept with the next right PIN; one that
    /// allows more is logged first.
    func keepSeenPolicy(_ session: inout Session, _ lock: KeystoreLock) {
        let kept = session.keystore.publicSection.seenPolicy
        guard device.isPolicyBelieved, kept != device.seenPolicy else { return }
        if device.seenPolicy.allowsMore(than: kept) {
            let entry = AuditEntry(
                .device, .ok, detail: "the administrator's policy allows more than before")
            guard (try? append([entry], &session, lock)) != nil else { return }
        }
        session.keystore.keep(seenPolicy: device.seenPolicy)
        guard !session.keystore.isUnwritten, (try? save(&session, lock)) == nil else { return }
        session.notes.append(
            AuditEntry(.device, .failed, detail: "the administrator's policy could not be kept"))
    }
}

extension DeviceFacts {
    /// Whether a policy file says what holds. That there is none says nothing: a file can be hidden.
    fileprivate var isPolicyBelieved: Bool { policy != nil && environment.believesAdministrator }

    /// What there is to be kept of the administrator's policy: a permission is never remembered.
    fileprivate var seenPolicy: SeenPolicy {
        SeenPolicy(
            policy: policy?.policy ?? TokenPolicy(), forbidsUnsigned: policy?.unsigned == false)
    }
}

extension SeenPolicy {
    fileprivate func allowsMore(than other: SeenPolicy) -> Bool {
        policy.attemptLimit > other.policy.attemptLimit
            || policy.sessionLimitSeconds > other.policy.sessionLimitSeconds
            || policy.separation != .strict && other.policy.separation == .strict
            || !forbidsUnsigned && other.forbidsUnsigned
    }
}
