// One link, as `issue` and `from-pskc` make it: for whom, locked how, told where. Bound by CONTRACT §6.
import ArgumentParser
import Keystore
import Linux
import ProgramSupport
import SoftTokenCore

struct OneLinkOptions: ParsableArguments {
    @Option(help: .taking("account", "Whom the token is for."))
    var account: String?

    @OptionGroup var lock: LockOptions
    @OptionGroup var delivery: DeliveryOptions

    @Flag(help: "One JSON object: link, code, serial, jti, fingerprint.")
    var json = false

    func validate() throws { try require(account: account) }

    /// Refuses what is for one link beside an option that makes many.
    func requireUnused(serial: String?, beside option: String) throws {
        guard account == nil, serial == nil, lock.isEmpty, delivery.qr == nil, !json else {
            throw ValidationError(
                "--account, --serial, --request, --code, --code-fd, --qr and --json are for one link, "
                    + "not for \(option)")
        }
    }

    /// Makes the link, its record and what was asked for, and prints it. The picture is drawn before
    /// the record is written: not every link is one. The record is on the disk before anybody sees the
    /// link.
    func make(
        _ order: TokenOrder, seed: borrowing Seed, maker: LinkMaker, options: LinkOptions
    ) throws(Failure) {
        try delivery.prepare(serial: order.serial)
        let now = try currentSeconds()
        let made = try judging(try maker.link(order, seed: seed, at: now))
        let picture = try delivery.picture(of: made)
        try record(order, seed: seed, issuer: maker.key.name, options: options, at: now)
        try delivery.deliver(made, picture)
        do throws(Failure) {
            try print(made, order.serial, fingerprint: maker.key.fingerprint)
        } catch { throw unprinted(error, serial: order.serial, options.records) }
        guard let records = options.records, !json else { return }
        sayNext(
            "Next, when the prescriber has activated it, check a one-time password of softtoken show",
            ["verify", "--records", records, "--serial", order.serial]
                + recordsKeyOption(options.recordsKeyFd))
    }

    /// A link that nobody got, of a token that is kept.
    private func unprinted(
        _ error: Failure, serial: String, _ records: String?
    ) -> Failure {
        guard let records else { return error }
        return Failure(
            error.exitCode,
            "standard output can't be written: the link of token \(serial) is lost, and \(records) "
                + "holds the token",
            hint: "make room or send it elsewhere, and issue another; "
                + "\(revokeCommand(serial, of: records)) ends this one")
    }

    private func record(
        _ order: TokenOrder, seed: borrowing Seed, issuer: String, options: LinkOptions,
        at unixSeconds: Int64
    ) throws(Failure) {
        guard let records = options.records else {
            guard options.recordsKeyFd == nil else {
                throw .usage("--records-key-fd belongs to --records")
            }
            return output.hint("without --records nobody can check this token's one-time passwords")
        }
        let writer = try openTarget(records, try RecordsSecret.read(from: options.recordsKeyFd))
        guard try !writer.isTaken(order.serial) else {
            throw .usage(
                "\(records) has a token of this serial already", hint: "give another --serial")
        }
        let other = try writer.warningOfOther(ofAccount: order.account, at: unixSeconds)
        if let other { output.warning(other) }
        try writer.add(order.record(issuer: issuer), seed: seed)
        try writer.place()
    }

    private func print(
        _ made: MadeLink, _ serial: String, fingerprint: String
    ) throws(Failure) {
        guard !json else {
            return try output.json([
                "link": .text(made.link), "code": .text(made.code), "serial": .text(serial),
                "jti": .text(TextAlphabet.base64URL.text(made.jti)),
                "fingerprint": .text(fingerprint),
            ])
        }
        output.note("serial \(serial), signing key \(fingerprint)")
        // For people; a script reads link and code alone, a line each. Marked with the mouse, the two
        // must not end up in one mail.
        let isShown = isTerminal(1)
        if isShown { output.note("\nThe link, for the mail:\n") }
        try output.line(made.link)
        guard let code = made.code else { return }
        if isShown {
            output.note(
                "\nThe activation code, by telephone or on paper, never in the same mail:\n")
        }
        try output.line(code)
        if !isShown { output.note("send the activation code on another way than the link") }
    }
}
