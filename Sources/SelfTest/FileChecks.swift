// What stands in the files, and what the log says when somebody changed it. Bound by DESIGN §1.2 and
// Keystore/FORMAT.md §10.
internal import Linux

let fileChecks: [Check] = [
    Check("no seed and no name stands in any file") { (_, home) throws(SystemError) in
        let secrets =
            [SampleLink.seed, Array(SampleLink.seedBase32.utf8), SampleLink.seed.hexadecimal]
            + SampleLink.words.map { Array($0.utf8) }
        var count = 0
        for folder in [home.data, home.state] {
            for file in systemFolderNames(folder) {
                count += 1
                let bytes = try readSystemFile("\(folder)/\(file)")
                guard !secrets.contains(where: { bytes.holds($0) }) else {
                    return .failed("found in \(file)")
                }
            }
        }
        return .init(count > 0, "\(count) files searched")
    },
    Check("every file is this user's alone") { (_, home) throws(SystemError) in
        let open = [home.data, home.state].flatMap { folder in
            ([""] + systemFolderNames(folder)).map { "\(folder)/\($0)" }.filter(isOpenToOthers)
        }
        return .init(open.isEmpty, open.isEmpty ? "modes 0700 and 0600" : "open: \(open)")
    },
    Check("the log is whole") { (_, home) throws(SystemError) in
        let end = try home.run(["log", "--verify"])
        return .init(end.code == 0, "exit \(end.code)")
    },
    Check("a changed log entry is told") { (bench, home) throws(SystemError) in
        try altered(bench, home, "changed") { lines in
            lines[0][lines[0].count / 2] ^= 1
        }
    },
    Check("a removed log entry is told") { (bench, home) throws(SystemError) in
        try altered(bench, home, "removed") { lines in lines.remove(at: lines.count / 2) }
    },
    Check("a log that is cut short is told") { (bench, home) throws(SystemError) in
        try altered(bench, home, "cut") { lines in lines.removeLast() }
    },
]

/// A log whose lines were changed has to be told as not whole.
private func altered(
    _ bench: borrowing Bench, _ home: Home, _ name: String, _ body: (inout [[UInt8]]) -> Void
) throws(SystemError) -> Check.Finding {
    let copy = try bench.copy(of: home, named: "log-\(name)")
    try copy.change(copy.state + "/log") { bytes in
        var lines = bytes.split(separator: UInt8(ascii: "\n")).map(Array.init)
        body(&lines)
        bytes = lines.flatMap { $0 + [UInt8(ascii: "\n")] }
    }
    let end = try copy.run(["log", "--verify"])
    return .init(end.code == 65, "exit \(end.code)")
}

extension [UInt8] {
    fileprivate var hexadecimal: [UInt8] { Array(TextAlphabet.hexadecimal.text(self).utf8) }

    fileprivate func holds(_ part: [UInt8]) -> Bool {
        guard count >= part.count else { return false }
        return (0...count - part.count).contains { self[$0..<$0 + part.count].elementsEqual(part) }
    }
}
