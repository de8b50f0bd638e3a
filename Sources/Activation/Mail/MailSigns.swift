// What a text without a link of ours is about: another product's link, or a hard token (DESIGN §7).
internal import Linux

/// The signs that were seen in a text.
struct MailSigns {
    private var foreign: ForeignLink?
    private var isAboutHardToken = false
    private var namesSerial = false
    private var namesVendor = false
    private var hasMobilePASSLink = false
    /// A signed link stood here once: its carrier's beginning, or its header's, is left of it.
    private(set) var hasSignedRemains = false

    /// What to tell the prescriber instead.
    var guidance: ActivationError? {
        // Whoever is asked for the serial number on its back has a hard token in the hand.
        let isOrder = namesSerial && namesVendor && !hasMobilePASSLink
        return isAboutHardToken || isOrder ? .hardToken : foreign.map { .foreign($0) }
    }

    /// Notes the word at a position.
    ///
    /// - Returns: where to go on.
    mutating func note(_ text: Span<UInt8>, at position: Int) -> Int {
        guard isWordStart(text, position) else { return skipNumber(text, position) }
        foreign = foreign ?? ForeignLink.beginning(text, at: position)
        hasSignedRemains =
            hasSignedRemains || signedBeginnings.contains { text.hasPrefix($0, at: position) }
            || isCutJWS(text, position)
        let signs = ["hard token", "hard-token", "hardware token", "digipass", "key fob"]
        isAboutHardToken = isAboutHardToken || signs.contains { text.hasPrefix($0, at: position) }
        namesSerial = namesSerial || text.hasPrefix("serial n", at: position)
        namesVendor = namesVendor || namesHardTokenVendor(text, position)
        hasMobilePASSLink =
            hasMobilePASSLink
            || ["mobilepass://", "mobilepassplus://"].contains { text.hasPrefix($0, at: position) }
        return position + 1
    }

    mutating func noteAddress(_ text: Span<UInt8>, _ range: Range<Int>) {
        namesVendor = namesVendor || range.contains { namesHardTokenVendor(text, $0) }
        guard let kind = ForeignLink.recognise(text, range), kind != .webPage else { return }
        foreign = foreign ?? kind
    }

    /// Stands behind what is no word; a number may be RSA's.
    private mutating func skipNumber(_ text: Span<UInt8>, _ start: Int) -> Int {
        guard text[start].isDigit else { return start + 1 }
        let end =
            (start..<text.count).first { !text[$0].isDigit && text[$0] != UInt8(ascii: "-") }
            ?? text.count
        if isNumericCTF(text, start..<end) { foreign = foreign ?? .rsa }
        return end
    }
}

/// How a signed link begins, and its header in base64url: `{"alg":"EdDSA"` with and without the space,
/// `{"typ":"softtoken+` and `{"jwk":{"kty":"OKP`. FORMAT.md §2.
private let signedBeginnings = [
    "softtoken:activate", "softtoken://", "eyJhbGciOiJFZERTQSI", "eyJhbGciOiAiRWREU0Ei",
    "eyJ0eXAiOiJzb2Z0dG9rZW4r", "eyJqd2siOnsia3R5IjoiT0tQ",
]

/// Whether a JWS stands here whose header, or the beginning of it, is cut off. Of other products'
/// JWSs, in addresses mostly, the whole header stands there.
private func isCutJWS(_ text: Span<UInt8>, _ position: Int) -> Bool {
    let isBehindDot = position > 0 && text[position - 1] == UInt8(ascii: ".")
    if text.hasPrefix("eyJpc3MiOi", at: position), !isBehindDot { return true }
    guard !text.hasPrefix(jwsBeginning, at: position), !isBehindDot else { return false }
    let reach = position..<min(position + 256, text.count)
    let end = reach.first { !TextAlphabet.base64URL.holds(text[$0]) } ?? reach.upperBound
    return end - position >= 20 && text.hasPrefix(".eyJpc3MiOi", at: end)
}

/// Whose page asks for a hard token's serial number, and links MobilePASS too.
private func namesHardTokenVendor(_ text: Span<UInt8>, _ position: Int) -> Bool {
    text.hasPrefix("safenetid.", at: position) || text.hasPrefix("thales", at: position)
}

private func isWordStart(_ text: Span<UInt8>, _ position: Int) -> Bool {
    guard text[position].isLetter else { return false }
    guard position > 0 else { return true }
    let before = text[position - 1]
    return !before.isLetter && !before.isDigit
}
