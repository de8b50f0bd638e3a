// `issue`: one link, or many from a CSV file (IssueMany.swift). Bound by CONTRACT §6.
import Activation
import ArgumentParser
import Keystore
import Linux
import OTP
import ProgramSupport
import SoftTokenCore

struct Issue: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "issue", abstract: "Makes activation links.",
        discussion: """
            Prints the link, and on the next line the activation code, which has to reach the \
            prescriber on another way than the link. With --request the link is sealed to the one \
            device that made the request, and there is no code.

            With --csv FILE --out DIR it makes a link a row. The columns are named in the first \
            row: account (needed), serial, type (totp or hotp), algorithm, digits, period, request. \
            DIR gets links.csv, codes.csv (for rows without a request) and, unless --records says \
            otherwise, records.xml. Making a code's key is slow on purpose, about 0.1 s a link; \
            rows with a request take less than a millisecond.

            --letter DIR writes what the prescriber gets: DIR/mails has the mail's text with the \
            link, DIR/sheets the code, the key and what to do, as text and as a page to print. \
            Send the two on different ways.
            """)

    @OptionGroup var link: LinkOptions
    @OptionGroup var token: TokenOptions

    @Option(help: .taking("account", "Whom the token is for."))
    var account: String?

    @Option(help: .taking("serial", "The token's serial; drawn unless given."))
    var serial: String?

    @OptionGroup var lock: LockOptions

    @Option(help: .taking("file", "Many links: a row each; - is standard input."))
    var csv: String?

    @Option(help: .taking("dir", "Where the many links go."))
    var out: String?

    @OptionGroup var delivery: DeliveryOptions

    @Flag(help: "One JSON object: link, code, serial, jti, fingerprint.")
    var json = false

    func validate() throws {
        guard csv != nil || account != nil else {
            throw ValidationError("--account is missing, or --csv")
        }
        guard (csv == nil) == (out == nil) else {
            throw ValidationError("--csv and --out belong together")
        }
        let forOne =
            account != nil || serial != nil || json || !lock.isEmpty || delivery.qr != nil
        guard csv == nil || !forOne else {
            throw ValidationError(
                "--account, --serial, --request, --code, --code-fd, --qr and --json are for one link, "
                    + "not for --csv")
        }
        try require(account: account)
        if let serial { try requireName(serial, bytes: 1...32, "a serial") }
    }

    func run() throws {
        let maker = try link.maker()
        if let csv, let out {
            try delivery.prepare()
            try issueMany(
                csv: csv, out: out, options: link, token: token, letter: delivery.letter,
                maker: maker)
        } else if let account {
            try issueOne(account, maker)
        }
    }

    private func issueOne(_ account: String, _ maker: borrowing LinkMaker) throws {
        let order = TokenOrder(
            account: account, serial: serial ?? TokenOrder.drawnSerial(),
            parameters: token.parameters, terms: link.terms, lock: try lock.lock())
        try delivery.prepare(serial: order.serial)
        let seed = try TokenOrder.drawnSeed(order.parameters.algorithm)
        let made = try makeOne(order, seed: seed, maker: maker, options: link)
        try delivery.deliver(made)
        try printLink(made, fingerprint: maker.key.fingerprint, json: json, options: link)
    }
}

/// Makes a link; its record is on the disk before anybody sees the link.
func makeOne(
    _ order: TokenOrder, seed: borrowing Seed, maker: borrowing LinkMaker, options: LinkOptions
) throws(Failure) -> MadeLink {
    let now = try currentSeconds()
    let made = try judging { () throws(ActivationError) in
        try maker.link(order, seed: seed, at: now)
    }
    guard let records = options.records else {
        guard options.recordsKeyFd == nil else {
            throw Failure(.usage, "--records-key-fd belongs to --records")
        }
        output.hint("without --records nobody can check this token's one-time passwords")
        return made
    }
    let writer = try openTarget(records, try RecordsSecret.read(from: options.recordsKeyFd))
    guard try !writer.isTaken(order.serial) else {
        throw Failure(
            .usage, "\(records) has a token of this serial already", hint: "give another --serial")
    }
    try writer.add(order.record(issuer: maker.key.name), seed: seed)
    try writer.place()
    return made
}

/// - Throws: `Failure` (74).
func printLink(
    _ made: MadeLink, fingerprint: String, json: Bool, options: LinkOptions
) throws(Failure) {
    guard !json else {
        return try output.json([
            "link": .text(made.link), "code": .text(made.code), "serial": .text(made.serial),
            "jti": .text(TextAlphabet.base64URL.text(made.jti)), "fingerprint": .text(fingerprint),
        ])
    }
    output.note("serial \(made.serial), signing key \(fingerprint)")
    // For people; a script reads link and code alone, a line each. Marked with the mouse, the two
    // must not end up in one mail.
    let isShown = isTerminal(1)
    if isShown { output.note("\nThe link, for the mail:\n") }
    try output.line(made.link)
    if let code = made.code {
        if isShown {
            output.note(
                "\nThe activation code, by telephone or on paper, never in the same mail:\n")
        }
        try output.line(code)
        if !isShown { output.note("send the activation code on another way than the link") }
    }
    guard let records = options.records else { return }
    sayNext(
        "Next, when the prescriber has activated it, check a one-time password of softtoken show",
        ["verify", "--records", records, "--serial", made.serial]
            + recordsKeyOption(options.recordsKeyFd))
}
