// How the display may look here: the options, NO_COLOR (no-color.org), TERM and the locale decide.
// Pure: the environment is an argument. Bound by DESIGN §8 and CONTRACT §1 (--plain, --no-color).

/// What the terminal, and the one who reads it, can take.
struct DisplayStyle: Equatable, Sendable {
    enum Form: Equatable, Sendable {
        /// The alternate screen, drawn anew each second.
        case screen
        /// A terminal without escape sequences: one line, overwritten in place.
        case line
        /// A screen reader: a line when something changes, nothing is overwritten.
        case plain
    }
    enum Glyphs: Equatable, Sendable { case unicode, ascii }
    enum Colour: Equatable, Sendable { case some, none }

    var form: Form
    var glyphs: Glyphs
    var colour: Colour

}

extension DisplayStyle {
    /// - Parameters:
    ///   - wantsPlain: `--plain`.
    ///   - forbidsColour: `--no-color`.
    ///   - environment: looks up a variable.
    init(wantsPlain: Bool, forbidsColour: Bool, environment: (String) -> String?) {
        let terminal = environment("TERM") ?? ""
        let isDumb = terminal.isEmpty || terminal == "dumb"
        form = wantsPlain ? .plain : isDumb ? .line : .screen
        let hasNoColor = environment("NO_COLOR").map { !$0.isEmpty } ?? false
        colour = forbidsColour || hasNoColor || form != .screen ? .none : .some
        // The first that is set and not empty counts: locale(7).
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap(environment)
            .first { !$0.isEmpty }
        // "de_DE.UTF-8@euro"
        let name = (locale ?? "").lowercased().prefix { $0 != "@" }
        glyphs = name.hasSuffix("utf-8") || name.hasSuffix("utf8") ? .unicode : .ascii
    }
}
