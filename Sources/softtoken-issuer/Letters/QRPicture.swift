// The link as a QR code, drawn by qrencode where it is installed. The link goes to its standard input
// and the picture comes back from its standard output, so that nothing of it stands in arguments or
// in a file that others may read. Bound by CONTRACT §6 and STYLE 10.
import Linux
import ProgramSupport
import SoftTokenCore

/// A link to be drawn.
struct QRPicture {
    private static let program = "qrencode"
    private let link: String

    init(_ link: String) { self.link = link }

    /// - Throws: `Failure` (64) where qrencode isn't installed.
    static func requireProgram() throws(Failure) {
        guard ChildProcess.isInstalled(program) else {
            throw .usage(
                "--qr needs the program qrencode, which is not installed",
                hint: "install qrencode, or leave out --qr")
        }
    }

    /// Draws it into a new file (PNG, 0600), and on standard error where that is a terminal.
    ///
    /// - Throws: `Failure` (65, 73, 74).
    func draw(to path: String) throws(Failure) {
        try writeNewFile(path, try drawn(["--type=PNG", "--size=4"]))
        output.note("the link as a picture: \(path)")
        if let columns = terminalColumns(2) { try show(columns) }
    }

    private func show(_ columns: Int) throws(Failure) {
        let text = String(decoding: try drawn(["--type=UTF8", "--margin=2"]), as: UTF8.self)
        let width = text.split(separator: "\n").map(\.count).max() ?? 0
        guard width <= columns else {
            return output.note(
                "the terminal is too narrow to draw it: \(width) columns are needed")
        }
        // Dark on light whatever the terminal's colours are: readers want it so.
        for line in text.split(separator: "\n") { output.note("\u{1B}[97;40m\(line)\u{1B}[0m") }
    }

    /// - Throws: `Failure` (65): more than a QR code holds.
    private func drawn(_ arguments: [String]) throws(Failure) -> [UInt8] {
        do throws(SystemError) {
            let input = try filledPipe(Array(link.utf8).span)
            let child = try ChildProcess.start(
                QRPicture.program, arguments: arguments + ["--level=L", "--8bit", "--output=-"],
                input: input)
            if let child {
                let picture = try child.output.nextBytes(limit: 1 << 24)
                if child.succeeded(), !picture.isEmpty { return picture }
            }
        } catch { throw .of(error) }
        throw .rejected(
            "qrencode could not draw the link",
            hint: "a QR code holds 2,953 bytes: give fewer --prescribing, or leave out --qr")
    }
}
