// What can be done after an error, as this program's options and commands. Bound by CONTRACT §1, §2.
import SoftTokenCore

extension AuthenticatorError.Remedy {
    /// The option to add, or the command.
    var command: String {
        switch self {
        case .attest: "add --not-prescribing-device"
        case .confirmDate: "add --clock-is with it"
        case .trustIssuer(let fingerprint): "add --trust-issuer \(fingerprint)"
        case .drawPIN: "add --random-pin"
        case .keepPIN: "leave out --random-pin; softtoken pin changes the PIN"
        case .moveShare: "softtoken pin --protector"
        case .confirm: "type yes, or add --yes"
        case .activate: "softtoken activate"
        case .listTokens: "softtoken list shows your tokens"
        case .listIssuers: "softtoken issuer list"
        case .reset: "softtoken reset"
        }
    }
}
