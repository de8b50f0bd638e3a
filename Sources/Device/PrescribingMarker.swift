// The marker of a prescribing device: its own prescribing record in a file that root alone writes.
// Bound by DESIGN §6 (`device register`) and FORMAT.md §5: it fails closed.

/// What stands at /etc/softtoken/prescribing-device.
package enum PrescribingMarker: Equatable, Sendable {
    /// Nothing.
    case absent
    /// This device's record.
    case record(PrescribingRecord)
    /// Something that can't be trusted or parsed: still the mark of a prescribing device.
    case damaged
}
