// How a link gets to its prescriber, besides standard output: a letter, a picture. Bound by CONTRACT
// §6.
import ArgumentParser
import Linux
import ProgramSupport

struct DeliveryOptions: ParsableArguments {
    @Option(
        help: .taking(
            "dir", "Write the mail, and apart from it the sheet with the code, into this folder."))
    var letter: String?

    @Option(
        help: .taking(
            "file", "Draw the link as a QR code into this file (PNG), and in the terminal."))
    var qr: String?

    /// Looks for what would be in the way, before a link and its record are made.
    ///
    /// - Parameter serial: of the one link; nil for many.
    func prepare(serial: String? = nil) throws(Failure) {
        if let qr {
            try QRPicture.requireProgram()
            guard !isSystemPathPresent(qr) else { throw .taken(qr) }
        }
        try letters?.make()
        if let serial { try letters?.requireFree(serial) }
    }

    /// Where the letters go, if any are wanted.
    var letters: LetterFolder? { letter.map(LetterFolder.init) }

    /// The picture, if it was asked for.
    func picture(of made: MadeLink) throws(Failure) -> QRPicture? {
        qr == nil ? nil : try QRPicture(made.link)
    }

    /// Writes what was asked for. The record is on the disk by now.
    func deliver(_ made: MadeLink, _ picture: QRPicture?) throws(Failure) {
        if let letters {
            let files = try letters.write(
                Letter(made.link, code: made.code, verification: made.verification))
            output.note("the mail: \(files.mail)")
            output.note("the sheet, on another way than the mail: \(files.sheet), \(files.page)")
        }
        if let qr { try picture?.write(to: qr) }
    }
}
