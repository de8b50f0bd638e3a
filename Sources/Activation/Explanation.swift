// What the command says about a rejected link: what happened and why, then what to do, in words
// that a prescriber understands, without a word of the link itself (DESIGN §1.9, STYLE 16).

extension ActivationError {
    /// What happened and why: lower case, no full stop.
    package var explanation: String {
        switch self {
        case .noLink: "there is no activation link in this text"
        case .tooLong: "this text is too long to be an activation link"
        case .severalLinks(let links):
            "there are several links: " + links.map(\.words).joined(separator: "; ")
        case .brokenLink:
            "the link may go on where its line ends: nobody can tell whether it is whole"
        case .foreign(let kind): kind.explanation
        case .unknownType: "this otpauth link is for neither a totp nor a hotp token"
        case .malformedPercentEncoding: "the link is damaged: a percent sign stands alone in it"
        case .controlCharacter: "the link holds a control character"
        case .unacceptableText(let parameter):
            "the link's \(parameter.rawValue) is too long or can't be shown"
        case .linkInName(let parameter):
            "the link's \(parameter.rawValue) holds a piece of a link, which may be a seed"
        case .missingSecret: "the link holds no seed"
        case .emptySecret: "the link's seed is empty"
        case .secretNotBase32: "the link's seed is damaged: it is not base32"
        case .seedTooShort: "the link's seed is too short to be safe: it has under 10 bytes"
        case .seedTooLong: "the link's seed is too long: it has over 64 bytes"
        case .repeatedParameter(let parameter): "the link says \(parameter.rawValue) twice"
        case .unknownAlgorithm: "the link asks for an unknown algorithm"
        case .unsupportedEncoder: "the link asks for one-time passwords that are not digits"
        case .missingCounter: "the link is for a hotp token and has no counter"
        case .rejectedNumber(let parameter):
            "the link's \(parameter.rawValue) is not a number that is allowed"
        case .malformedJWS: "the link is damaged or cut off"
        case .malformedJSON(let part, _): "\(part.words) is damaged"
        case .unknownMember(.policyFile):
            "it holds another member than unsigned, remote, attempts, session and separation"
        case .unknownMember(let part): "\(part.words) holds a member that is not allowed there"
        case .missingMember(let member): "the member \(member.rawValue) is missing"
        case .rejectedMember(let member):
            "the member \(member.rawValue) is "
                + (member.rule.map { "not \($0)" } ?? "of the wrong kind or outside its limits")
        case .signatureInvalid: "the link was changed on its way: its signature is wrong"
        case .unknownVersion: "the link is made for a newer version of SoftToken"
        case .hardToken: "this mail is for a hard token"
        case .malformedCode: "an activation code has ten letters and digits, as XXXXX-XXXXX"
        case .wrongCode: "the activation code doesn't open this link"
        case .sealedToAnotherDevice: "this link is sealed to another device"
        case .malformedRequest: "this is not a whole enrolment request"
        case .rejectedCarrier: "a link can't be carried by this address"
        case .privateKeyFile: "this is the issuer's private key, which must not be here"
        case .rejectedIssuerFile(let member):
            "the issuer's file is damaged: its member \(member.rawValue) is missing or wrong"
        case .rejectedKey: "the issuer's file holds a key that nobody can sign with"
        case .tooLongFile: "this file is too long to be an issuer's file"
        case .outOfMemory: "there is not enough free memory to open the link"
        }
    }

    /// What to do next: lower case, no full stop.
    package var hint: String? {
        switch self {
        case .noLink, .tooLong:
            "copy the whole link from the mail that announced your soft token"
        case .brokenLink:
            "copy the link alone, in one piece; or save the mail as a file and use --from"
        case .severalLinks: "copy the one link that you want to activate"
        case .foreign(let kind): kind.hint
        case .malformedJWS, .signatureInvalid, .malformedJSON(.header, _),
            .malformedJSON(.payload, _), .malformedJSON(.key, _), .malformedPercentEncoding,
            .controlCharacter, .missingSecret, .emptySecret, .secretNotBase32, .linkInName:
            "copy the whole link again; if that doesn't help, ask the issuer for a new one"
        case .malformedJSON, .unknownMember(.policyFile), .unknownMember(.issuerFile):
            "ask your administrator to mend the file"
        case .privateKeyFile:
            "use FILE.pub, delete this file, and tell the issuer, whose key is to be replaced"
        case .rejectedIssuerFile, .rejectedKey, .tooLongFile:
            "ask the issuer for its file, FILE.pub, again"
        case .unknownMember, .missingMember, .rejectedMember, .unknownType, .unknownAlgorithm,
            .unsupportedEncoder, .seedTooShort, .seedTooLong, .repeatedParameter, .missingCounter,
            .rejectedNumber, .unacceptableText:
            "ask the issuer of the token for a new link"
        case .unknownVersion: "install the newest version, then try again"
        case .hardToken:
            "have its serial number ready; look for the other mail, for your soft token"
        case .malformedCode: "the code comes on another way than the link, not in the same mail"
        case .wrongCode: "nothing is used up: type it again"
        case .sealedToAnotherDevice:
            "open the link on the device that made the request, or send the issuer a new one"
        case .malformedRequest: "copy the whole line that softtoken request printed"
        case .rejectedCarrier: "use an address that begins with https:// and has no #"
        case .outOfMemory: "close other programs, then try again"
        }
    }
}

extension LinkIdentity {
    fileprivate var words: String {
        let serial = serial.map { "serial \($0)" }
        let parts = [issuer, account, serial].compactMap { $0 }
        return parts.isEmpty ? "one without a name" : parts.joined(separator: ", ")
    }
}

extension JSONPart {
    fileprivate var words: String {
        switch self {
        case .header: "the link's header"
        case .key: "the issuer's key"
        case .payload: "the link's content"
        case .policy: "the link's policy"
        case .issuerFile: "the issuer's file"
        case .policyFile: "the administrator's policy"
        }
    }
}

extension ForeignLink {
    var explanation: String {
        switch self {
        case .mobilePASS: "this link is for MobilePASS, which only the MobilePASS app can activate"
        case .rsa: "this link is for RSA SecurID, which only the RSA app can activate"
        case .duo: "this link is for Duo Mobile, which only the Duo app can activate"
        case .okta: "this link is for Okta Verify, which only the Okta app can activate"
        case .steam: "this link is for Steam Guard, which doesn't make digits"
        case .microsoft: "this link is for Microsoft Authenticator"
        case .vip: "this link is for Symantec VIP Access, which only the VIP app can activate"
        case .authy: "this link is for Authy, which only the Authy app can activate"
        case .entrust: "this link is for Entrust, which only the Entrust app can activate"
        case .gateway: "this address was rewritten by a mail gateway, and only it can tell the link"
        case .backup:
            "this is a backup of another authenticator, which would make a copy of its tokens"
        case .migration: "this is an export of another app, which would make a copy of its tokens"
        case .enrolmentRequest: "this is an enrolment request, not an activation link"
        case .prescribingRecord: "this is a prescribing record, not an activation link"
        case .issuerFile: "this is an issuer's file, not an activation link"
        case .activationCode: "this looks like an activation code, not like a link"
        case .webPage: "this is the address of a web page, without an activation link in it"
        }
    }

    var hint: String {
        switch self {
        case .migration, .backup: "a token lives on one device: ask its issuer for a new link"
        case .enrolmentRequest: "send it to the issuer, who answers with a link"
        case .prescribingRecord: "give it to: softtoken device forbid"
        case .issuerFile: "give it to: softtoken issuer add"
        case .activationCode: "give the link first; the code is asked for afterwards"
        case .webPage: "copy the link that begins with softtoken: or otpauth:, or the whole mail"
        case .gateway: "ask the issuer to send the link as an attached file, or as a QR picture"
        case .mobilePASS, .rsa, .duo, .okta, .steam, .microsoft, .vip, .authy, .entrust:
            "ask the issuer for a link for SoftToken or for any authenticator (otpauth)"
        }
    }
}

extension Member {
    /// What an administrator's policy may say there, CONTRACT §4; nil for what only programs write.
    fileprivate var rule: String? {
        switch self {
        case .attempts: "a number from 3 to 10"
        case .session: "a number of seconds from 30 to 900"
        case .separation: "\"attest\" or \"strict\""
        case .unsigned, .remote: "true or false"
        default: nil
        }
    }
}
