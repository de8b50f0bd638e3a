// What a prescriber gets: a mail with the link, and apart from it a sheet with the activation code.
// Neither says what the other one holds. Everything in them but code and verification is read from the
// link itself, so that they can't say anything else than the link does. Bound by CONTRACT §6 and DESIGN
// §7 (two pieces of information on two channels).
import Activation
import Linux

/// The content of a mail and its sheet.
struct Letter: Sendable {
    let link: String
    /// nil for a link that is sealed to a device.
    let code: String?
    /// Of the request that the link is sealed to; nil for a link with a code.
    let verification: String?
    /// What the link says.
    let content: VerifiedLink

    /// - Throws: `Failure` (65): the link doesn't read back.
    init(_ link: String, code: String?, verification: String?) throws(Failure) {
        guard case .signed(let content) = try judging(try readLink(Array(link.utf8).span)) else {
            throw Failure(ActivationError.noLink)
        }
        self.link = link
        self.code = code
        self.verification = verification
        self.content = content
    }

    /// How long the link can be used: `2026-12-04 09:15 UTC`.
    var ends: String {
        let end = UTCTime.text(unixSeconds: content.expiresUnixSeconds)
        return "\(end.prefix(10)) \(end.dropFirst(11).prefix(5)) UTC"
    }

    /// The mail: the link, and no word of the code.
    var mail: String {
        var parts = [
            "For \(content.account)",
            "\(content.issuer) made a soft token for you, which signs electronic prescriptions for "
                + "controlled substances. On the device that is to show your one-time passwords, "
                + "and never on the computer that you send prescriptions from, run",
            "    softtoken activate",
            "and paste this link, or this whole mail:",
            link,
        ]
        if code == nil {
            parts.append("The link opens on the device alone whose request you sent.")
        } else {
            parts.append(
                "You get an activation code apart from this mail, by telephone or on paper, with "
                    + "the key that your device shows. Nobody of \(content.issuer) asks you for it."
            )
        }
        parts.append("The link can be used once, until \(ends). Token \(content.serial).")
        return parts.map { $0 == link ? $0 : wrapped($0) }.joined(separator: "\n\n") + "\n"
    }
}
