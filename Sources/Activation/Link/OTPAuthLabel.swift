// Who an otpauth link is for: the label "issuer:account" and the issuer parameter, as the Key URI
// format has them and as the wild writes them. Bound by CONTRACT §5.
import Keystore
import Linux

/// The issuer and the account of an otpauth link.
struct OTPAuthLabel {
    let identity: LinkIdentity
    /// The label names another issuer than the parameter, which wins.
    let issuerDiffers: Bool

    /// - Throws: `ActivationError.malformedPercentEncoding`, `.controlCharacter`,
    ///   `.unacceptableText`, `.linkInName`; `.foreign` for Steam's, whose codes are no digits.
    init(
        _ link: Span<UInt8>, _ range: Range<Int>, issuerParameter: [UInt8]?
    ) throws(ActivationError) {
        let label = try link.decoded(range, plus: .itself)
        if let whole = String(validating: label, as: UTF8.self), holdsLink(whole) {
            throw .linkInName(.account)
        }
        let named = [issuerParameter ?? [], Array(label.prefix { $0 != UInt8(ascii: ":") })]
        guard !named.contains(where: { $0.map(\.lowercased) == Array("steam".utf8) }) else {
            throw .foreign(.steam)
        }
        if let issuerParameter, let rest = OTPAuthLabel.rest(of: label, after: issuerParameter) {
            identity = LinkIdentity(
                issuer: try acceptable(issuerParameter, .issuer),
                account: try acceptable(rest, .account), serial: nil)
            issuerDiffers = false
            return
        }
        let colon = label.firstIndex(of: UInt8(ascii: ":"))
        let prefix = try acceptable(Array(label[..<(colon ?? 0)]), .issuer)
        let rest = Array(label[(colon.map { $0 + 1 } ?? 0)...])
        let issuer = try acceptable(issuerParameter ?? [], .issuer)
        identity = LinkIdentity(
            issuer: issuer ?? prefix, account: try acceptable(rest, .account), serial: nil)
        issuerDiffers = issuer != nil && prefix != nil && issuer != prefix
    }

    /// What follows "issuer:". An issuer may hold colons itself ("Forge (https://…)"), and some
    /// write its spaces as plus signs in the label too.
    private static func rest(of label: [UInt8], after issuer: [UInt8]) -> [UInt8]? {
        guard label.count > issuer.count, label[issuer.count] == UInt8(ascii: ":") else {
            return nil
        }
        let isSame = zip(label, issuer).allSatisfy { letter, expected in
            letter == expected
                || (letter == UInt8(ascii: "+") && expected == UInt8(ascii: " "))
        }
        return isSame ? Array(label[(issuer.count + 1)...]) : nil
    }
}

/// Text that can be shown, without spaces around it; nil where none is left.
private func acceptable(
    _ bytes: [UInt8], _ parameter: OTPAuthParameter
) throws(ActivationError) -> String? {
    let trimmed = Array(bytes[bytes.span.trimmed(bytes.indices)])
    guard !trimmed.isEmpty else { return nil }
    guard let text = String(validating: trimmed, as: UTF8.self),
        isAcceptableText(text, bytes: 1...(parameter == .issuer ? 64 : 128))
    else { throw .unacceptableText(parameter) }
    guard !holdsLink(text) else { throw .linkInName(parameter) }
    return text
}
