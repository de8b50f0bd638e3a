// Where letters are written: the mails in one folder, the sheets in another, so that nobody sends
// both together by marking all files of one. Bound by CONTRACT §6 and STYLE 21.
import Activation
import Linux

/// A folder of letters.
struct LetterFolder: Sendable {
    /// Where a letter's parts are.
    struct Files: Sendable {
        let mail: String
        let sheet: String
        let page: String

        var all: [String] { [mail, sheet, page] }
    }

    let path: String

    init(_ path: String) { self.path = path }

    /// Makes the folder and the two in it (0700), unless they are there.
    func make() throws(Failure) {
        for folder in [path, "\(path)/mails", "\(path)/sheets"] {
            try fromSystem(try makePrivateFolder(folder))
        }
    }

    /// Where the parts of a token's letter belong.
    func files(of serial: String) -> Files {
        let name = fileName(serial)
        return Files(
            mail: "\(path)/mails/\(name).txt", sheet: "\(path)/sheets/\(name).txt",
            page: "\(path)/sheets/\(name).html")
    }

    /// Looks for what would be in the way, before a link and its record are made.
    func requireFree(_ serial: String) throws(Failure) {
        for path in files(of: serial).all where isSystemPathPresent(path) { throw .taken(path) }
    }

    /// Writes a letter's files (0600); nothing is overwritten.
    @discardableResult
    func write(_ letter: Letter) throws(Failure) -> Files {
        let files = files(of: letter.content.serial)
        for (path, text) in zip(files.all, [letter.mail, letter.sheet, letter.page]) {
            try writeNewFile(path, Array(text.utf8))
        }
        return files
    }

    /// Writes the letters of a run that has just been placed, in the memory of one.
    ///
    /// Nothing of a letter is on the disk before its record is.
    func write(links: String, codes: String) throws(Failure) {
        var links = try rows(links)
        var codes = isSystemPathPresent(codes) ? try rows(codes) : nil
        var code = try codes?.next()?.fields.get()
        while let link = try links.next()?.fields.get() {
            let isHis = code?[1] == link[1]
            try write(
                Letter(
                    link[3], code: isHis ? code?[2] : nil,
                    verification: link[4].isEmpty ? nil : link[4]))
            if isHis { code = try codes?.next()?.fields.get() }
        }
    }

    /// The rows of a file of ours, behind the one that names the columns.
    private func rows(_ path: String) throws(Failure) -> CSVReader {
        var rows = try CSVReader(named: path)
        _ = try rows.next()
        return rows
    }

    /// A serial as a file's name: what could mean anything to a file system or a shell is written as
    /// %XX, so that no two serials have one name.
    private func fileName(_ serial: String) -> String {
        let plain = Array("-_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
        return serial.utf8.reduce(into: "") { name, byte in
            name +=
                plain.contains(byte)
                ? String(Unicode.Scalar(byte)) : "%" + hexadecimalPair(byte)
        }
    }
}
