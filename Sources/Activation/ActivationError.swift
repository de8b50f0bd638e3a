// Why text is no activation link, or why a link was not opened: what happened, never what stood
// there (STYLE 13). Explanation.swift says it in words.

/// Why a link is rejected. Everything here is exit code 65, but `outOfMemory`.
package enum ActivationError: Error, Equatable, Sendable {
    // MARK: the text
    /// Nothing in the text is a link.
    case noLink
    /// The text has more than 16 MiB (typed: 1 MiB), or the link more than 16 KiB.
    case tooLong
    /// More than one link that differ, as they stand there: the prescriber gives the one that is
    /// meant.
    case severalLinks([LinkIdentity])
    /// The link may go on behind the white space that ended it.
    case brokenLink
    /// Another product's link, or ours in the wrong place.
    case foreign(ForeignLink)

    // MARK: otpauth, CONTRACT §5
    /// Neither totp nor hotp.
    case unknownType
    case malformedPercentEncoding
    case controlCharacter
    /// Issuer or account is too long, not UTF-8, or can't be shown.
    case unacceptableText(OTPAuthParameter)
    /// Issuer or account holds a piece of a link, and so perhaps a seed.
    case linkInName(OTPAuthParameter)
    case missingSecret
    case emptySecret
    case secretNotBase32
    /// Under 10 bytes.
    case seedTooShort
    /// Over 64 bytes.
    case seedTooLong
    case repeatedParameter(OTPAuthParameter)
    case unknownAlgorithm
    /// An OTP that isn't made of digits alone.
    case unsupportedEncoder
    case missingCounter
    /// No integer, or one outside its limits.
    case rejectedNumber(OTPAuthParameter)

    // MARK: signed links, CONTRACT §4
    /// Not three parts in base64url, or a signature that isn't 64 bytes.
    case malformedJWS
    case malformedJSON(JSONPart, JSONError)
    /// A member that this part must not have.
    case unknownMember(JSONPart)
    case missingMember(Member)
    /// Of the wrong type, or outside its limits.
    case rejectedMember(Member)
    case signatureInvalid
    /// Made by a newer issuer.
    case unknownVersion
    /// The link is for a hard token.
    case hardToken
    case malformedCode
    /// The activation code doesn't open the link; nothing is used up.
    case wrongCode
    /// This device has another key than the one that the link is sealed to.
    case sealedToAnotherDevice
    case malformedRequest
    /// The address can't carry a link: the issuer's own mistake.
    case rejectedCarrier

    // MARK: issuer files
    /// The issuer's private key, which devices must never get.
    case privateKeyFile
    /// A member of the file that is missing, of the wrong type, or outside its limits.
    case rejectedIssuerFile(Member)
    /// No key that somebody can sign with: under some of these anything verifies.
    case rejectedKey
    case tooLongFile

    // MARK: the environment
    /// Argon2id or guarded memory found no memory: never a wrong code.
    case outOfMemory
}

/// The parameters of an otpauth link that mean something here.
package enum OTPAuthParameter: String, Equatable, Sendable, CaseIterable {
    case secret, issuer, algorithm, digits, period, counter, encoder
    /// The label's account; no parameter is called so.
    case account = "label"
    case twoStepSalt = "2step_salt"
    case twoStepOutput = "2step_output"
    case twoStepDifficulty = "2step_difficulty"
}
