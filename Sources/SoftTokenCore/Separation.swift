// The separation verdict as types: without an admission no keystore is unlocked here, without a
// clearance no OTP is made. Neither can be made outside of this module. Bound by DESIGN §1.6, §6.
package import Device

/// This is not known to be the prescribing device: a PIN may be asked for.
package struct Admission: ~Copyable {
    package let verdict: SeparationVerdict
}

/// This device is separate, or its prescriber attested that it is: an OTP may be made.
///
/// Only `Authenticator.clear` makes one, after its checks; it can't be copied, kept or written down,
/// so that each use is checked anew. 21 CFR 1311.115(b).
public struct SeparationClearance: ~Copyable {
    /// When the prescriber attested just now, Unix seconds: kept after the right PIN.
    let attestedUnixSeconds: Int64?
    /// A stable word for what was attested in spite of.
    let reasonName: String
    /// Date and time were confirmed just now.
    let isClockConfirmed: Bool
    /// An attestation that stands is not needed any more; it is asked for anew when it is.
    let isAttestationObsolete: Bool
}
