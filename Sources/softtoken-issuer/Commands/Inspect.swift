// `inspect`: what a link says, without opening its seed. Bound by CONTRACT §6, §4.
import Activation
import ArgumentParser
import Keystore
import Linux
import OTP
import ProgramSupport

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Says what a link says, without opening its seed.",
        discussion: """
            Verifies the signature and prints the content, a line each. LINK may be left out: it \
            is then the first line of standard input.
            """)

    @Argument(help: .taking("link", "The activation link."))
    var link: String?

    /// `Main` gives it the link, which it moved out of the arguments.
    func run(_ start: borrowing StartArguments) throws(Failure) {
        switch start.link {
        case .some(let text): try text.read { (text) throws(Failure) in try describe(text) }
        case nil:
            // What isn't recognised as a link was left in place.
            if let link { return try describe(Array(link.utf8).span) }
            if isTerminal(0) { output.prompt("activation link: ") }
            guard let line = try secretLine(from: 0, limit: maximumWrappedByteCount) else {
                throw .usage("there is no activation link")
            }
            try line.read { (text) throws(Failure) in try describe(text) }
        }
    }
}

/// A link of 16 KiB in a gateway's address, which may write a byte as three.
private let maximumWrappedByteCount = 4 * maximumLinkByteCount

private func describe(_ text: Span<UInt8>) throws(Failure) {
    let content = try judging(try readLink(text))
    let lines =
        switch content {
        case .signed(let link): link.lines
        case .unsigned(let enrolment): enrolment.lines
        }
    try output.lines(lines.compactMap { name, value in value.map { "\(name): \($0)" } })
}

extension VerifiedLink {
    fileprivate var lines: [(String, String?)] {
        [
            ("signature", "right, by \(fingerprint)"),
            ("issuer", issuer), ("account", account), ("serial", serial),
            ("jti", TextAlphabet.base64URL.text(jti)),
            ("issued", UTCTime.text(unixSeconds: issuedAtUnixSeconds)),
            ("ends", UTCTime.text(unixSeconds: expiresUnixSeconds)),
        ] + parameters.lines + [
            ("seed", box.text),
            ("pending", terms.pendingSeconds == 0 ? nil : "\(terms.pendingSeconds) s"),
            ("token expires", terms.expiresUnixSeconds.map(UTCTime.text)),
            ("attempts", terms.policy.attempts.map(String.init)),
            ("session", terms.policy.sessionSeconds.map { "\($0) s" }),
            ("separation", terms.policy.separation.map { $0 == .strict ? "strict" : "attest" }),
            ("prescribing records", terms.prescribing.isEmpty ? nil : "\(terms.prescribing.count)"),
        ]
    }
}

extension Enrolment {
    /// An otpauth link has no identity of its own: its seed is in it, and is dropped here.
    fileprivate var lines: [(String, String?)] {
        [
            ("signature", "none: whoever has this link has the seed"),
            ("issuer", identity.issuer), ("account", identity.account),
        ] + parameters.lines
    }
}

extension TokenParameters {
    fileprivate var lines: [(String, String?)] {
        let last: (String, String?)
        let type: String
        switch factor {
        case .time(let seconds): (type, last) = ("totp", ("period", "\(seconds) s"))
        case .counter(let counter): (type, last) = ("hotp", ("counter", "\(counter)"))
        }
        return [
            ("type", type), ("algorithm", algorithm.name), ("digits", "\(digits.value)"), last,
        ]
    }
}

extension SeedBox {
    fileprivate var text: String {
        switch self {
        case .device: "sealed to one device"
        case .code(let box):
            "under an activation code, Argon2id \(box.operations) x \(box.memoryBytes >> 20) MiB"
        }
    }
}
