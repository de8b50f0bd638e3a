// Commands in running text: `sudo /usr/bin/softtoken device register` stands on one line where it
// fits one, because a copy of half of it would be another command. Pure. Bound by DESIGN §8.
import ArgumentParser

/// The words with each command of softtoken joined to one, if it is no wider than `columns`.
///
/// A command is softtoken, with the sudo before it, and what follows of its commands and options.
func commandsJoined(_ words: [String], columns: Int) -> [String] {
    var joined: [String] = []
    var rest = words[...]
    while let word = rest.first {
        let length = commandLength(rest)
        let command = rest.prefix(length).joined(separator: " ")
        if length > 1, columnWidth(command) <= columns {
            joined.append(command)
            rest = rest.dropFirst(length)
        } else {
            joined.append(word)
            rest = rest.dropFirst()
        }
    }
    return joined
}

/// How many of the first words are one command; 0 if none begins here.
private func commandLength(_ words: ArraySlice<String>) -> Int {
    let start = words.first == "sudo" ? 1 : 0
    let program = words.dropFirst(start).first?.split(separator: "/").last
    guard program == "softtoken" else { return 0 }
    var commands = SoftTokenCommand.configuration.subcommands
    var length = start + 1
    for word in words.dropFirst(length) {
        // "softtoken show;" and "softtoken list," end here.
        let name = word.trimmingSuffix { ",;:.?".contains($0) }
        let next = commands.first { $0.configuration.commandName.map { $0 == name } ?? false }
        guard next != nil || name.hasPrefix("--") else { break }
        length += 1
        commands = next?.configuration.subcommands ?? []
        if name.count < word.count { break }
    }
    return length
}

extension String {
    fileprivate func trimmingSuffix(while isCut: (Character) -> Bool) -> Substring {
        var kept = self[...]
        while let last = kept.last, isCut(last) { kept.removeLast() }
        return kept
    }
}
