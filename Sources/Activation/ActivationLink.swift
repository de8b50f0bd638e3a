// The one door for text that was given to `activate`. Bound by CONTRACT §4, §5 and DESIGN §7.
import Keystore

/// What a text holds.
package enum ActivationLink: ~Copyable {
    /// An otpauth link, opened.
    case unsigned(Enrolment)
    /// A signed link, whose box is not opened yet.
    case signed(VerifiedLink)
}

/// Reads the activation link in a text.
///
/// - Parameters:
///   - text: a link, with or without white space and brackets around it.
///   - drawing: random bytes for privacyIDEA's two-step.
/// - Throws: `ActivationError`, whose case names what is wrong.
package func readLink(
    _ text: Span<UInt8>, drawing: (Int) -> [UInt8] = randomBytes(count:)
) throws(ActivationError) -> ActivationLink {
    switch recognise(text) {
    case .otpauth(let range):
        return .unsigned(try parseOTPAuth(text.extracting(range), drawing: drawing))
    case .signed(let range):
        return .signed(try VerifiedLink(verifying: text.extracting(range)))
    case .foreign(let kind): throw .foreign(kind)
    case .nothing: throw .noLink
    }
}
