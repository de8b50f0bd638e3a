// Many links: three files that appear whole or not at all. The codes are apart from the links,
// because they travel on another way. Bound by CONTRACT §6 and RECORDS.md §5.
import Keystore
import Linux

/// The files of one run, being written.
final class BulkOutput {
    let records: any RecordsTarget
    private var links: BufferedFile
    private var codes: BufferedFile
    private(set) var count = 0
    private var codeCount = 0
    let linksPath: String
    /// There only where a link has a code.
    let codesPath: String

    /// Opens the files; what a former run left there is never overwritten.
    init(_ folder: String, records: String?, _ secret: RecordsSecret?) throws(Failure) {
        try fromSystem(try makePrivateFolder(folder))
        (linksPath, codesPath) = ("\(folder)/links.csv", "\(folder)/codes.csv")
        self.records = try openTarget(records ?? "\(folder)/records.xml", secret)
        links = try BufferedFile(linksPath, policy: .refuse)
        codes = try BufferedFile(codesPath, policy: .refuse)
        try links.write("account,serial,jti,link,verification\r\n")
        try codes.write("account,serial,code\r\n")
    }

    func add(
        _ made: MadeLink, _ order: TokenOrder, issuer: String, seed: borrowing Seed
    ) throws(Failure) {
        try records.add(order.record(issuer: issuer), seed: seed)
        let start = csvField(order.account) + "," + csvField(order.serial) + ","
        try links.write(
            start + csvField(TextAlphabet.base64URL.text(made.jti)) + "," + made.link + ","
                + (made.verification ?? "") + "\r\n")
        if let code = made.code {
            try codes.write(start + code + "\r\n")
            codeCount += 1
        }
        count += 1
    }

    /// Puts the files in place: the records first, because a link without one is worth nothing.
    func place() throws(Failure) {
        guard count > 0 else { return }
        try records.place()
        if codeCount > 0 { try codes.place() }
        try links.place()
    }
}
