// Whether two seeds are one: a mail brings the same link as text and as HTML, and only links that
// differ make a prescriber choose (DESIGN §7).

extension Seed {
    /// Compares in constant time.
    package borrowing func matches(_ other: borrowing Seed) -> Bool { bytes.matches(other.bytes) }
}
