// Where the text of a link comes from: the argument, a file, standard input, a QR picture, or what
// is pasted. It lies in guarded memory from the first byte. Bound by CONTRACT §1 and DESIGN §7.
import Activation
import Keystore
import Linux
import SoftTokenCore

extension ActivateCommand {
    /// The text that holds the link.
    func linkText(
        _ argument: consuming SecureBytes?, _ console: borrowing Console
    ) throws(Failure) -> LinkText {
        if let from { return try LinkText(from: from) }
        if let qr { return try LinkText(qrImage: qr) }
        if let argument { return try LinkText(secret: argument) }
        if let link { return try LinkText(ordinary: link) }
        let pasted = try console.linkText(
            prompt: "Paste the activation link, or the whole mail, and press Enter:\n")
        guard let pasted else { throw .authenticator(.activation(.noLink)) }
        return try LinkText(secret: pasted)
    }
}

extension LinkText {
    fileprivate init(secret: consuming SecureBytes) throws(Failure) {
        let count = secret.count
        do throws(ActivationError) { try self.init(secret, byteCount: count) } catch {
            throw .authenticator(.activation(error))
        }
    }

    /// An argument that doesn't look like a link at all: it holds no seed that we know of.
    fileprivate init(ordinary text: String) throws(Failure) {
        do throws(ActivationError) { try self.init(copying: Array(text.utf8).span) } catch {
            throw .authenticator(.activation(error))
        }
    }

    fileprivate init(from path: String) throws(Failure) {
        let limit = LinkText.maximumMailByteCount
        let source = try path == "-" ? LinkText.standardInput() : LinkText.file(path)
        let content = try takingLink { () throws(AnswerError) in
            try source.rest(limit: limit)
        }
        guard let content else { throw .authenticator(.activation(.noLink)) }
        try self.init(secret: content)
    }

    /// Reads a QR picture with zbarimg, where it is installed. It runs before any PIN is asked.
    fileprivate init(qrImage path: String) throws(Failure) {
        guard isSystemPathPresent(path) else { throw .noInput(path: path) }
        let arguments = [
            "--quiet", "--raw", "--nodbus", "-Sdisable", "-Sqrcode.enable", "--", path,
        ]
        let child = try running { () throws(SystemError) in
            try ChildProcess.start("zbarimg", arguments: arguments)
        }
        guard let child else {
            throw .usage(
                "--qr needs the program zbarimg, which is not installed",
                hint: "install zbar-tools, or paste the link instead")
        }
        let source = LineSource(try running { () throws(SystemError) in try child.output.copy() })
        let content = try takingLink { () throws(AnswerError) in
            try source.rest(limit: LinkText.maximumByteCount)
        }
        guard child.succeeded(), let content else {
            throw .rejectedInput(
                "there is no QR code in \(path)",
                hint: "take the picture again, closer and straight")
        }
        try self.init(secret: content)
    }

    private static func standardInput() throws(Failure) -> LineSource {
        try answering("the link") { () throws(AnswerError) in try LineSource(descriptor: 0) }
    }

    private static func file(_ path: String) throws(Failure) -> LineSource {
        do throws(SystemError) { return LineSource(try openInput(path)) } catch {
            throw error.isNotFound ? .noInput(path: path) : .system(error)
        }
    }
}

/// Takes the text of a link: one that is too long is no link (65), not a mistyped answer (64).
func takingLink<R: ~Copyable>(_ body: () throws(AnswerError) -> R) throws(Failure) -> R {
    do throws(AnswerError) { return try body() } catch {
        if case .tooLong = error { throw .authenticator(.activation(.tooLong)) }
        throw .answer(error, question: "the link")
    }
}
