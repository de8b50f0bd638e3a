// `inspect`: what a link says, without opening its seed. Bound by CONTRACT §6, §4.
import Activation
import ArgumentParser
import Keystore
import Linux
import OTP

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says what a link says, without opening its seed.",
        discussion: """
            Verifies the signature and prints the content, a line each. LINK may be left out: it \
            is then the first line of standard input.
            """)

    @Argument(help: ArgumentHelp("The activation link.", valueName: "link"))
    var link: String?

    /// `Main` gives it the link, which it moved out of the arguments.
    func run(_ start: borrowing StartArguments) throws {
        switch start.link {
        case .some(let text): try text.read { (text) throws(Failure) in try describe(text) }
        case nil:
            // What isn't recognised as a link was left in place.
            let given = link.map { Array($0.utf8) }
            guard let text = try given ?? Console.nextLine(asking: "activation link") else {
                throw Failure(.usage, "there is no activation link")
            }
            try describe(text.span)
        }
    }
}

private func describe(_ text: Span<UInt8>) throws(Failure) {
    let lines: [(String, String?)]
    do throws(ActivationError) {
        switch try readLink(text) {
        case .signed(let link): lines = link.lines
        case .unsigned(let enrolment): lines = enrolment.lines
        }
    } catch { throw Failure(error) }
    for (name, value) in lines {
        guard let value else { continue }
        try Console.print("\(name): \(value)")
    }
}

extension VerifiedLink {
    fileprivate var lines: [(String, String?)] {
        [
            ("signature", "right, by \(fingerprint)"),
            ("issuer", issuer), ("account", account), ("serial", serial),
            ("jti", publicBase64URL(jti)), ("issued", dateText(issuedAtUnixSeconds)),
            ("ends", dateText(expiresUnixSeconds)),
        ] + parameters.lines + [
            ("seed", box.text),
            ("pending", terms.pendingSeconds == 0 ? nil : "\(terms.pendingSeconds) s"),
            ("token expires", terms.expiresUnixSeconds.map(dateText)),
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
            ("issuer", issuer), ("account", account),
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
