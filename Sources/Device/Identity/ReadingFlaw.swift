// Notes that a read failed for another reason than that nothing is there. Bound by FORMAT.md §6
// (unreadable).
internal import Linux

/// Whether one of many reads failed. Used by one thread, within one function.
final class ReadingFlaw: @unchecked Sendable {
    private(set) var isNoted = false

    /// A system whose reads are noted here where they fail.
    func noted(in tree: SystemTree) -> SystemTree {
        var noting = tree
        noting.contents = { path, limit in
            let reading = tree.contents(path, limit)
            if reading == .unreadable { self.isNoted = true }
            return reading
        }
        noting.listing = { path in
            let names = tree.listing(path)
            if names == nil { self.isNoted = true }
            return names
        }
        return noting
    }
}
