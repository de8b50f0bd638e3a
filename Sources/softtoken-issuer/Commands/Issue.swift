// `issue`: one link, or many from a CSV file (IssueMany.swift). Bound by CONTRACT §6.
import ArgumentParser
import OTP

struct Issue: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "issue", abstract: "Makes activation links.",
        discussion: """
            Prints the link, and on the next line the activation code, which has to reach the \
            prescriber on another way than the link. With --request the link is sealed to the one \
            device that made the request, and there is no code.

            With --csv FILE --out DIR it makes a link a row. The columns are named in the first \
            row: account (needed), serial, type (totp or hotp), algorithm, digits, period, request, \
            and beside a request its verification, as the prescriber reads it out by telephone. \
            DIR gets links.csv, codes.csv (for rows without a request) and, unless --records says \
            otherwise, records.xml. Making a code's key is slow on purpose, about 0.1 s a link; \
            rows with a request take less than a millisecond.

            --letter DIR writes what the prescriber gets: DIR/mails has the mail's text with the \
            link, DIR/sheets the code, the key and what to do, as text and as a page to print. \
            Send the two on different ways.
            """)

    @OptionGroup var link: LinkOptions
    @OptionGroup var token: TokenOptions

    @OptionGroup var one: OneLinkOptions

    @Option(help: .taking("serial", "The token's serial; drawn unless given."))
    var serial: String?

    @Option(help: .taking("file", "Many links: a row each; - is standard input."))
    var csv: String?

    @Option(help: .taking("dir", "Where the many links go."))
    var out: String?

    func validate() throws {
        guard csv != nil || one.account != nil else {
            throw ValidationError("--account is missing, or --csv")
        }
        guard (csv == nil) == (out == nil) else {
            throw ValidationError("--csv and --out belong together")
        }
        if csv != nil { try one.requireUnused(serial: serial, beside: "--csv") }
        if let serial { try requireName(serial, bytes: 1...32, "a serial") }
    }

    func run() throws {
        let maker = try link.maker()
        if let csv, let out {
            try one.delivery.prepare()
            try makeAll(of: csv, out, maker)
        } else if let account = one.account {
            try makeOne(account, maker)
        }
    }

    private func makeOne(_ account: String, _ maker: LinkMaker) throws {
        let order = TokenOrder(
            account: account, serial: serial ?? TokenOrder.drawnSerial(),
            parameters: token.parameters, terms: link.terms, lock: try one.lock.lock())
        let seed = try TokenOrder.drawnSeed(order.parameters.algorithm)
        try one.make(order, seed: seed, maker: maker, options: link)
    }
}
