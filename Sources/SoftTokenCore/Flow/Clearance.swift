// The separation verdict as a type: without an `Entry` (Entering.swift) no PIN is asked for and no
// keystore unlocked, without a clearance no OTP is made. Bound by DESIGN §1.6, §6.

/// This device is separate, or its prescriber attested that it is: an OTP may be made.
///
/// Only `Flow.clear` makes one, after its checks; it can't be copied, kept or written down,
/// so that each use is checked anew. 21 CFR 1311.115(b).
struct SeparationClearance: ~Copyable {
    /// When the prescriber attested just now, Unix seconds: kept after the right PIN.
    let attestedUnixSeconds: Int64?
    /// A stable word for what was attested in spite of.
    let reasonName: String
    /// Date and time were confirmed just now.
    let isClockConfirmed: Bool
    /// An attestation that stands is not needed any more; it is asked for anew when it is.
    let isAttestationObsolete: Bool
}
