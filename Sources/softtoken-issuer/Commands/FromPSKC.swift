// `from-pskc`: links from a token vendor's PSKC file. Bound by CONTRACT §6 and RFC 6030; a key that
// can't be used as its file wants it is told with its reason, and the others are made.
import Activation
import ArgumentParser
import Keystore
import ProgramSupport

struct FromPSKC: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "from-pskc", abstract: "Makes links from a token vendor's PSKC file.",
        discussion: """
            For a file with one token, or with --serial, prints the link and its activation code \
            as issue does. With --out DIR it makes a link for each token, in the files of \
            issue --csv. The account is the key's UserId unless --account says otherwise.

            Read are plain files and those encrypted with AES-CBC or AES key wrap under a \
            pre-shared key (--key-fd: hexadecimal) or a password (--key-fd: the password). A key \
            whose policy holds what is not known is not used. An XML signature is not verified: \
            pskctool --verify does that.
            """)

    @Argument(help: .taking("file", "The PSKC file (RFC 6030)."))
    var file: String

    @OptionGroup var link: LinkOptions
    @OptionGroup var one: OneLinkOptions

    @Option(help: .taking("n", "A descriptor with the file's key or password."))
    var keyFd: Int32?

    @Option(help: .taking("serial", "The one token to take."))
    var serial: String?

    @Option(help: .taking("dir", "Where the links of all tokens go."))
    var out: String?

    func validate() throws {
        if out != nil { try one.requireUnused(serial: serial, beside: "--out") }
    }

    func run() throws {
        let maker = try link.maker()
        let vendor = try VendorFile(file, keyFd: keyFd)
        if let out {
            try one.delivery.prepare()
            try makeAll(vendor, out, maker)
        } else {
            try makeTheOne(vendor, maker)
        }
    }

    private func makeTheOne(_ vendor: VendorFile, _ maker: LinkMaker) throws(Failure) {
        let now = try currentSeconds()
        let package = try vendor.onlyToken(serial, at: now)
        let lock = try one.lock.lock()
        let opened = try ofToken(package.serial, try vendor.open(package, at: now))
        try one.make(
            order(package, opened, lock), seed: opened.seed, maker: maker, options: link)
    }

    private func makeAll(
        _ vendor: VendorFile, _ out: String, _ maker: LinkMaker
    ) throws(Failure) {
        let now = try currentSeconds()
        let run = try BulkRun(
            out, options: link, letters: one.delivery.letters, maker: maker, source: file,
            byteCount: vendor.byteCount)
        try vendor.read { (package) throws(Failure) in
            let opened: VendorToken
            do throws(Failure) { opened = try vendor.open(package, at: now) } catch {
                return run.reject(package.serial, error)
            }
            let order = order(package, opened, .code(nil))
            try run.make(
                order, seed: opened.seed, place: package.serial,
                read: package.key.range.upperBound)
        }
        try run.finish()
    }

    private func order(
        _ package: PSKCKeyPackage, _ opened: borrowing VendorToken, _ lock: TokenOrder.Lock
    ) -> TokenOrder {
        var terms = link.terms
        terms.expiresUnixSeconds = package.policy.expiryUnixSeconds
        let vendors = TokenPolicy(attempts: package.policy.attempts)
        terms.policy = terms.policy.combined(with: vendors)
        return TokenOrder(
            account: one.account ?? package.account ?? package.serial, serial: package.serial,
            parameters: opened.parameters, terms: terms, lock: lock)
    }
}
