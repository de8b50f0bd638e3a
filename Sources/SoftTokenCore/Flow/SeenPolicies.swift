// The administrator's policy sticks: what it asked for when it could last be believed is kept in the
// keystore, under the PIN, so that hiding the file gains nothing. Bound by DESIGN §6 and
// Keystore/FORMAT.md §5.
import Activation
import Device
import Keystore
import Linux

extension Flow {
    /// The stricter of a keystore's own policy and the administrator's: as it is now, and where that
    /// can't be believed as it was last seen, too.
    func combined(_ section: PublicSection) -> TokenPolicy {
        let policy = combined(section.policy)
        guard !device.environment.believesAdministrator else { return policy }
        return policy.combined(with: section.seenPolicy.policy)
    }

    /// Whether only a policy that was seen before forbids unsigned links.
    func forbidsUnsigned(_ section: PublicSection) -> Bool {
        !device.environment.believesAdministrator && section.seenPolicy.forbidsUnsigned
    }

    /// Keeps what the administrator asks for now, if it can be believed and is another policy than
    /// the one that is kept. One that can't be written is kept with the next right PIN.
    func keepSeenPolicy(_ session: inout Session, _ lock: KeystoreLock) {
        guard device.environment.believesAdministrator,
            session.keystore.publicSection.seenPolicy != device.seenPolicy
        else { return }
        session.keystore.keep(seenPolicy: device.seenPolicy)
        guard !session.keystore.isUnwritten else { return }
        try? save(&session, lock)
    }
}

extension DeviceFacts {
    /// What there is to be kept of the administrator's policy: a permission is never remembered.
    fileprivate var seenPolicy: SeenPolicy {
        SeenPolicy(
            policy: policy?.policy ?? TokenPolicy(), forbidsUnsigned: policy?.unsigned == false)
    }
}
