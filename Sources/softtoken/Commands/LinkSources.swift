// Where the text of a link comes from: the argument, a file, standard input, a QR picture; nil where it
// is asked for. It goes into guarded memory from the first byte. Bound by CONTRACT §1 and DESIGN §7.
import Linux
import ProgramSupport
import SoftTokenCore

extension ActivateCommand {
    /// The text that holds the link.
    func givenLink(
        _ argument: consuming GivenLink?
    ) throws(AuthenticatorError) -> GivenLink? {
        if from == "-" { return try GivenLink(readingFrom: 0, path: "standard input") }
        if let from { return try linkFile(from) }
        if let qr { return try linkPicture(qr) }
        if let argument = argument.take() { return argument }
        // An argument that doesn't look like a link at all: it holds no seed that we know of.
        if let link { return try GivenLink(unguarded: link) }
        return nil
    }

    private func linkFile(_ path: String) throws(AuthenticatorError) -> GivenLink {
        let file: Descriptor
        do throws(SystemError) { file = try openInput(path) } catch {
            throw error.isNotFound ? .noInput(path) : .system(error)
        }
        return try GivenLink(readingFrom: file.number, path: path)
    }

    /// Reads a QR picture with zbarimg, where it is installed. It runs before any PIN is asked.
    private func linkPicture(_ path: String) throws(AuthenticatorError) -> GivenLink {
        guard isSystemPathPresent(path) else { throw .noInput(path) }
        let arguments = [
            "--quiet", "--raw", "--nodbus", "-Sdisable", "-Sqrcode.enable", "--", path,
        ]
        let child = try running(try ChildProcess.start("zbarimg", arguments: arguments))
        guard let child else {
            throw .usage(
                "--qr needs the program zbarimg, which is not installed",
                hint: "install zbar-tools, or paste the link instead")
        }
        // Without a QR code it prints nothing, and doesn't end with 0.
        let text = try? GivenLink(
            readingFrom: child.output.number, path: path, limit: LinkLimits.typedByteCount)
        guard child.succeeded(), let text else {
            throw AuthenticatorError(
                .rejected, "there is no QR code in \(path)",
                hint: "take the picture again, closer and straight")
        }
        return text
    }
}
