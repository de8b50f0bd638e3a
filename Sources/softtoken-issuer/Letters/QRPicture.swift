// The link as a QR code, drawn by qrencode where it is installed. The link goes to its standard input
// and the picture comes back from its standard output, so that nothing of it stands in arguments or
// in a file that others may read. Bound by CONTRACT §6 and STYLE 10.
import Linux
import ProgramSupport

/// A link, drawn.
struct QRPicture {
    private static let program = "qrencode"
    private let link: String
    private let image: [UInt8]

    /// - Throws: `Failure` (65): more than a QR code holds.
    init(_ link: String) throws(Failure) {
        self.link = link
        image = try QRPicture.drawn(link, ["--type=PNG", "--size=4"])
    }

    /// - Throws: `Failure` (64) where qrencode isn't installed.
    static func requireProgram() throws(Failure) {
        guard ChildProcess.isInstalled(program) else {
            throw .usage(
                "--qr needs the program qrencode, which is not installed",
                hint: "install qrencode, or leave out --qr")
        }
    }

    /// Writes it into a new file (PNG, 0600), and on standard error where that is a terminal.
    func write(to path: String) throws(Failure) {
        try writeNewFile(path, image)
        output.note("the link as a picture: \(path)")
        if let columns = terminalColumns(2) { try show(columns) }
    }

    private func show(_ columns: Int) throws(Failure) {
        let drawn = try QRPicture.drawn(link, ["--type=UTF8", "--margin=2"])
        let text = String(decoding: drawn, as: UTF8.self)
        let width = text.split(separator: "\n").map(\.count).max() ?? 0
        guard width <= columns else {
            return output.note(
                "the terminal is too narrow to draw it: \(width) columns are needed")
        }
        // Dark on light whatever the terminal's colours are: readers want it so.
        for line in text.split(separator: "\n") { output.note("\u{1B}[97;40m\(line)\u{1B}[0m") }
    }

    private static func drawn(_ link: String, _ arguments: [String]) throws(Failure) -> [UInt8] {
        do throws(SystemError) {
            let input = try filledPipe(Array(link.utf8).span)
            let child = try ChildProcess.start(
                program, arguments: arguments + ["--level=L", "--8bit", "--output=-"],
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
