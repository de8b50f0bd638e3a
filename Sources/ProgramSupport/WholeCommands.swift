// Commands in running text: `sudo /usr/bin/softtoken device register` stands on one line where it
// fits one, because a copy of half of it would be another command. Pure. Bound by DESIGN §8.
import ArgumentParser

/// The words with each command of a program joined to one, if it is no wider than `columns`.
///
/// A command is the program, with the sudo before it, and what follows of its commands and options,
/// each with the word behind it, and more where that begins a quotation.
func commandsJoined(
    _ words: [String], of root: (any ParsableCommand.Type)?, columns: Int
) -> [String] {
    guard let root else { return words }
    var joined: [String] = []
    var rest = words[...]
    while let word = rest.first {
        let length = commandLength(rest, root)
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
private func commandLength(_ words: ArraySlice<String>, _ root: any ParsableCommand.Type) -> Int {
    let start = words.first == "sudo" ? 1 : 0
    let program = words.dropFirst(start).first?.split(separator: "/").last
    guard let program, String(program) == root.configuration.commandName else { return 0 }
    var commands = root.configuration.subcommands
    var length = start + 1
    var (isOption, isQuoted) = (false, false)
    for word in words.dropFirst(length) {
        // "softtoken show;" and "softtoken list," end here.
        let name = word.trimmingSuffix { ",;:.?".contains($0) }
        let next = commands.first { $0.configuration.commandName.map { $0 == name } ?? false }
        guard next != nil || name.hasPrefix("--") || isOption || isQuoted else { break }
        length += 1
        isOption = name.hasPrefix("--")
        if !word.filter({ $0 == "'" }).count.isMultiple(of: 2) { isQuoted.toggle() }
        commands = next?.configuration.subcommands ?? []
        if name.count < word.count, !isQuoted { break }
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
